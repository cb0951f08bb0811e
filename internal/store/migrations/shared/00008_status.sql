-- Revocation, suspension and the lists that tell of them.

-- +goose Up

-- status_event is append-only: every change of the revocation status of a
-- certificate, numbered in the order of commits. OCSP responders follow it, and
-- delta CRLs are made of it.
create table status_event (
    seq    bigint primary key,
    issuer text not null,
    serial text not null,
    at     bigint not null,
    reason bigint not null                -- RFC 5280 5.3.1; 8 (removeFromCRL): released from hold
);
create index status_event_issuer on status_event (issuer, seq);

insert into status_event (seq, issuer, serial, at, reason)
select row_number() over (order by revoked_at, serial), issuer, serial, revoked_at, revocation_reason
from certificate where revoked_at > 0;

-- revoked_elsewhere holds revocations of certificates that this database does
-- not know, because it was restored from a copy older than they are.
create table revoked_elsewhere (
    serial     text primary key,
    issuer     text not null,
    revoked_at bigint not null,
    reason     bigint not null
);

-- What a list is about: '' is the complete one of its CA, 'delta' what changed
-- since the list numbered base, and 1of4 a shard. All lists of a CA share one
-- sequence of numbers. upto is the status_event that it knows last.
alter table crl add column list text not null default '';
alter table crl add column upto bigint not null default 0;
alter table crl add column base bigint not null default 0;
alter table crl add column entries bigint not null default 0;
create index crl_list on crl (issuer, list, number);

create index certificate_shard on certificate (issuer, substr(serial, length(serial), 1), revoked_at) where revoked_at > 0;

-- revocation_request is an officer's wish to revoke that a second officer has
-- to confirm; the certificate is on hold meanwhile.
create table revocation_request (
    id              text primary key,
    registration_id text not null references registration (id),
    serial          text not null references certificate (serial),
    subscriber_id   text not null references employee (id),
    state           text not null check (state in ('open', 'confirmed', 'declined', 'overtaken')),
    reason_code     text not null,
    reason_text     text not null,
    requested_by    text not null references employee (id),
    requested_at    bigint not null,
    decided_by      text references employee (id),
    decided_at      bigint not null,
    -- The subscriber and the two officers are three different people.
    check (requested_by <> subscriber_id),
    check (decided_by is null or (decided_by <> requested_by and decided_by <> subscriber_id))
);
create unique index revocation_request_open on revocation_request (registration_id) where state = 'open';
create index revocation_request_queue on revocation_request (state, requested_at);

-- +goose Down
select 1;
