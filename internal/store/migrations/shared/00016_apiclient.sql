-- Applications that call the interfaces for programs, and the documents that they
-- fetch once.

-- +goose Up

create table api_client (
    id              text primary key,
    name            text not null unique,   -- also the user name of its credential
    info            text not null,
    secret_hash     bytea not null,         -- SHA-256; the secret has 256 random bits
    previous_hash   bytea not null,         -- of the secret before, empty without one
    previous_until  bigint not null,        -- until when that one still counts
    networks        text not null,          -- CIDR with blanks between; empty is everywhere
    scopes          text not null,          -- with blanks between
    corner          boolean not null,       -- v1: width and height are the upper right corner
    sandbox         boolean not null,       -- signs specimens only
    rate            bigint not null,        -- requests a minute
    enabled         boolean not null,
    created_at      bigint not null,
    created_by      text not null,
    used_at         bigint not null         -- about when it called last
);

-- api_document is a signed file that an application may fetch once.
create table api_document (
    id          text primary key,           -- id_dokumen: 32 hexadecimal digits
    client_id   text not null references api_client (id),
    name        text not null,
    blob_id     text not null unique,
    key_sealed  bytea not null,
    size        bigint not null,
    created_at  bigint not null,
    expires_at  bigint not null
);
create index api_document_expires on api_document (expires_at);

-- +goose Down
select 1;
