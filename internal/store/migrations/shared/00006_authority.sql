-- Certificates of the authority itself, officers' approvals by passkey, and the
-- checks of everything issued.

-- +goose Up

-- authority_certificate holds what the authority certified for itself: issuing
-- CAs, OCSP responders, the TSA, the seal. The ca role writes it; the other
-- roles fetch from it what a ceremony or a renewal made.
create table authority_certificate (
    serial            text primary key,    -- lower-case hexadecimal
    issuer            text not null,       -- name of the CA that signed it
    name              text not null unique, -- of its file: ca-issuing-2, ca-tsa-000001
    purpose           text not null check (purpose in ('issuing', 'ocsp', 'tsa', 'seal')),
    subject           text not null,
    der               bytea not null,
    spki_hash         bytea not null,
    not_before        bigint not null,
    not_after         bigint not null,
    recorded_at       bigint not null,
    revoked_at        bigint not null,
    revocation_reason bigint not null      -- RFC 5280 5.3.1; meaningful when revoked_at > 0
);
create index authority_certificate_revoked on authority_certificate (issuer, revoked_at) where revoked_at > 0;

-- approval is an officer's signature under a check: a WebAuthn assertion whose
-- challenge is the hash of exactly what he approved.
create table approval (
    review_id          text primary key references review (id),
    about_id           text not null references registration (id), -- another one's when the first check was carried over
    credential_id      bytea not null,
    authenticator_data bytea not null,
    client_data        bytea not null,
    signature          bytea not null,
    created_at         bigint not null
);

-- approval_passkey says which passkeys the ca role knows as an officer's. It is
-- news for the pages; the ca role itself believes its own files alone.
create table approval_passkey (
    credential_id bytea primary key,
    employee_id   text not null references employee (id),
    public_key    bytea not null,          -- COSE_Key
    pinned_at     bigint not null
);
create index approval_passkey_employee on approval_passkey (employee_id);

-- check_run is one reading of everything issued.
create table check_run (
    id          text primary key,
    started_at  bigint not null,
    finished_at bigint not null,
    reached     text not null,             -- serial up to which it has read
    checked     bigint not null,
    problems    bigint not null,
    told_at     bigint not null            -- when the administrators were told of its problems
);
create index check_run_started on check_run (started_at);

create table check_problem (
    run_id   text not null references check_run (id),
    serial   text not null,
    what     text not null,
    found_at bigint not null,
    primary key (run_id, serial, what)
);

-- +goose Down
select 1;
