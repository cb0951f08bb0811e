-- Powerful roles under dual control.

-- +goose Up

-- role_request is a role that one administrator wants somebody to have and
-- another one decides: a role that can have a certificate issued, or hands out
-- roles. 'alone' was given at once, because there was nobody else to ask.
create table role_request (
    id         text primary key,
    account_id text not null references account (id),
    role       text not null check (role in ('registration_officer', 'administrator')),
    unit_id    text references unit (id),  -- null: everywhere
    state      text not null check (state in ('open', 'granted', 'alone', 'refused', 'withdrawn', 'lapsed')),
    asked_by   text not null references account (id),
    asked_at   bigint not null,
    decided_by text references account (id),
    decided_at bigint not null,
    reason     text not null,              -- of a refusal
    check (asked_by <> account_id),
    check (decided_by is null or (decided_by <> asked_by and decided_by <> account_id)),
    check (state not in ('granted', 'refused') or decided_by is not null)
);
create unique index role_request_open on role_request (account_id, role, coalesce(unit_id, '')) where state = 'open';
create index role_request_queue on role_request (state, asked_at);
create index role_request_account on role_request (account_id, asked_at);

-- administrator_end is that an active administrator stopped being one. For a
-- while after it nobody counts as the only one there is.
create table administrator_end (
    id         text primary key,
    account_id text not null references account (id),
    ended_by   text not null,
    ended_at   bigint not null
);
create index administrator_end_at on administrator_end (ended_at);

-- +goose Down

drop table administrator_end;
drop table role_request;
