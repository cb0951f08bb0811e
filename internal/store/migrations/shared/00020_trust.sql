-- Roots of other authorities that the verification page believes.

-- +goose Up

create table trust_anchor (
    id           text primary key,
    certificate  bytea not null,
    fingerprint  bytea not null unique,     -- SHA-256 of the certificate
    subject      text not null,
    not_before   bigint not null,
    not_after    bigint not null,
    sunset       bigint not null,           -- signatures proven after it are not believed; 0 is never
    hosts        text not null,             -- names of servers that may be asked about revocation, with blanks between
    note         text not null,             -- why it is believed
    added_at     bigint not null,
    added_by     text not null references account (id),
    withdrawn_at bigint not null            -- not believed at all from then on; 0 while it is
);

-- +goose Down

select 1;
