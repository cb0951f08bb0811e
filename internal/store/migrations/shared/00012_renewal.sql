-- Renewal, and what happens in people's lives while they have a certificate.

-- +goose Up
-- A certificate that was renewed stays valid to its end beside its successor.
-- succeeded_at is when the successor was issued; 0 for the one in use.
alter table registration add column succeeded_at bigint not null default 0;
drop index registration_issued;
create unique index registration_issued on registration (employee_id) where status = 'Issue' and succeeded_at = 0;

-- renewal is what the subscriber's old key said to a renewal: a signature over
-- both keys that the ca role verifies for itself.
create table renewal (
    registration_id text primary key references registration (id),
    old_serial      text not null,
    spki_hash       bytea not null,        -- of the new key
    proof           bytea not null,        -- signature by the old key
    created_at      bigint not null
);

-- life_event is something that happened to a subscriber and has to be acted
-- upon by a date.
create table life_event (
    id          text primary key,
    employee_id text not null references employee (id),
    kind        text not null check (kind in ('subject_changed', 'retirement')),
    detail      text not null,             -- JSON: names of fields, serial of the certificate; no personal data
    opened_at   bigint not null,
    due_at      bigint not null,
    told_at     bigint not null,           -- last reminder
    closed_at   bigint not null,
    outcome     text not null              -- reissued, undone, revoked, left; empty while open
);
create unique index life_event_open on life_event (employee_id, kind) where closed_at = 0;
create index life_event_due on life_event (due_at) where closed_at = 0;

-- +goose Down
select 1;
