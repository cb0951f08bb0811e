-- A window may also end because its application was disabled.

-- +goose Up

create table signing_window_next (
    id            text primary key,
    employee_id   text not null references employee (id),
    account_id    text not null,
    client_id     text not null references api_client (id),
    credential_id text not null references credential (id),
    generation    bigint not null,         -- of the credential when it was opened
    process       text not null,           -- that holds the key
    max_uses      bigint not null,         -- signatures
    uses          bigint not null,         -- of them authorised
    digests       text not null,           -- hexadecimal with blanks between: the only things to sign; empty: any
    created_at    bigint not null,
    expires_at    bigint not null,
    ended_at      bigint not null,
    reason        text not null check (reason in ('', 'revoked', 'expired', 'used_up', 'stopped', 'changed', 'lost', 'guessed', 'disabled'))
);
insert into signing_window_next (id, employee_id, account_id, client_id, credential_id, generation, process, max_uses, uses, digests, created_at, expires_at, ended_at, reason)
select id, employee_id, account_id, client_id, credential_id, generation, process, max_uses, uses, digests, created_at, expires_at, ended_at, reason from signing_window;
drop table signing_window;
alter table signing_window_next rename to signing_window;
create index signing_window_employee on signing_window (employee_id, created_at);
create index signing_window_open on signing_window (client_id, employee_id) where ended_at = 0;

-- +goose Down
select 1;
