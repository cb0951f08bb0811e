-- What the native interface for programs needs: answers that are given again, what
-- a sandbox keeps, and lists of documents and registrations.

-- +goose Up

-- api_answer is one act that an application asked for with an Idempotency-Key. The
-- row is there before the act, with the identifier of what it will create; its
-- answer comes after it.
create table api_answer (
    client_id   text not null references api_client (id),
    key_hash    bytea not null,            -- SHA-256 of the application's key
    object_id   text not null,             -- of what the act creates
    process     text not null,             -- that carries it out
    done        boolean not null,
    sealed      bytea not null,            -- digest of the request, and the answer once done
    lease_until bigint not null,           -- when the process is taken for gone
    expires_at  bigint not null,
    primary key (client_id, key_hash)
);
create index api_answer_expires on api_answer (expires_at);

-- sandbox_object is what an application that is tried out left here for a day:
-- documents and signings. None of it is of real people.
create table sandbox_object (
    id          text primary key,
    client_id   text not null references api_client (id),
    kind        text not null check (kind in ('document', 'signing')),
    body        text not null,             -- JSON as the interface shows it
    blob_id     text not null,             -- bytes of a document; empty for a signing
    key_sealed  bytea not null,
    created_at  bigint not null,
    expires_at  bigint not null
);
create index sandbox_object_client on sandbox_object (client_id, kind, created_at, id);
create index sandbox_object_expires on sandbox_object (expires_at);

create index document_client on document (client_id, created_at, id) where client_id <> '';
create index registration_submitted on registration (submitted_at, id);

-- +goose Down
select 1;
