-- Privacy: what was destroyed, what people asked for, what was said about a
-- breach; and the versions of the practice statement.

-- +goose Up
-- The case in which a scan was looked at; the subject reads it beside the purpose.
alter table evidence_view add column reference text not null default '';

-- shredded lists what was erased for good, so that a restored backup is erased
-- again. The same list lies in a file that no restore overwrites.
create table shredded (
    kind      text not null check (kind in ('evidence', 'registration', 'document_version')),
    object_id text not null,
    at        bigint not null,
    why       text not null,               -- retention class or request
    primary key (kind, object_id)
);

-- subject_request is what a person asks about the own data (UU PDP 27/2022).
create table subject_request (
    id            text primary key,
    reference     text not null unique,
    employee_id   text not null references employee (id),
    kind          text not null check (kind in ('access', 'correction', 'erasure', 'objection', 'restriction')),
    text_sealed   bytea not null,
    state         text not null check (state in ('open', 'answered', 'withdrawn')),
    opened_at     bigint not null,
    due_at        bigint not null,
    escalated_at  bigint not null,
    closed_at     bigint not null,
    answered_by   text not null,           -- account; empty while open
    outcome       text not null check (outcome in ('', 'granted', 'partly', 'refused')),
    answer_sealed bytea not null
);
create index subject_request_queue on subject_request (state, due_at, id);
create index subject_request_employee on subject_request (employee_id, opened_at);

-- breach is a row for every breach that was reported to its subjects.
create table breach (
    id          text primary key,
    reference   text not null unique,
    scope       text not null,             -- JSON: what was exposed, by identifiers
    known_at    bigint not null,
    due_at      bigint not null,
    affected    bigint not null,
    told_at     bigint not null,           -- 0: the letters were not sent from here
    created_by  text not null,
    created_at  bigint not null
);

create table breach_subject (
    breach_id   text not null references breach (id),
    employee_id text not null references employee (id),
    data        text not null,             -- JSON: classes of data
    primary key (breach_id, employee_id)
);

-- practice_statement keeps every version of the CP/CPS, word for word.
create table practice_statement (
    version      bigint primary key,
    digest       bytea not null,           -- SHA-256 over both languages
    settings     text not null,            -- JSON from which it was made
    body_id      text not null,            -- HTML
    body_en      text not null,
    published_at bigint not null
);

-- +goose Down
select 1;
