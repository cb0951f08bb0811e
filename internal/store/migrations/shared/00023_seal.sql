-- Institutions' seals (segel elektronik) under dual control.

-- +goose Up

-- seal is the seal of an institution or a unit. Its id is public: programs name
-- it (idSubscriber).
create table seal (
    id              text primary key,
    name            text not null,         -- commonName of its certificate
    organisation    text not null,         -- organizationName
    organisation_id text not null,         -- organizationIdentifier (ETSI EN 319 412-1 5.1.4)
    state           text not null check (state in ('ordered', 'active', 'suspended', 'revoked', 'refused')),
    serial          text not null,         -- of the certificate in use; empty before the first
    key_name        text not null,         -- of its key in the vault
    created_at      bigint not null,
    changed_at      bigint not null
);

-- seal_order is what one administrator wants done to a seal and another one
-- decides: to make it, renew its certificate, revoke it, let it be used again,
-- or name a keeper.
create table seal_order (
    id          text primary key,
    seal_id     text not null references seal (id),
    kind        text not null check (kind in ('make', 'renew', 'revoke', 'resume', 'keeper')),
    subject_id  text references employee (id), -- of 'keeper': who becomes one
    reason_code bigint not null,           -- of 'revoke': RFC 5280 5.3.1
    note        text not null,
    state       text not null check (state in ('open', 'approved', 'done', 'refused', 'withdrawn', 'failed')),
    proposed_by text not null references account (id),
    proposed_at bigint not null,
    decided_by  text references account (id),
    decided_at  bigint not null,
    reason      text not null,             -- of a refusal
    key_name    text not null,             -- of the key to be certified
    csr         bytea not null,            -- PKCS #10, by that key
    problem     text not null,             -- why the ca role certified nothing
    serial      text not null,             -- of the certificate that came of it
    check (decided_by is null or decided_by <> proposed_by),
    check (state not in ('approved', 'done', 'failed') or decided_by is not null),
    check (kind <> 'keeper' or subject_id is not null)
);
create unique index seal_order_open on seal_order (seal_id, kind, coalesce(subject_id, '')) where state in ('open', 'approved');
create index seal_order_queue on seal_order (state, proposed_at);

-- seal_keeper is who may ask for the use of a seal, and release what another
-- one asks for.
create table seal_keeper (
    seal_id     text not null references seal (id),
    employee_id text not null references employee (id),
    order_id    text not null references seal_order (id),
    since       bigint not null,
    ended_at    bigint not null,           -- 0: is one
    ended_by    text not null,             -- account
    primary key (order_id)
);
create unique index seal_keeper_is on seal_keeper (seal_id, employee_id) where ended_at = 0;

-- seal_request is a list of documents that one keeper wants sealed and another
-- one releases.
create table seal_request (
    id           text primary key,
    seal_id      text not null references seal (id),
    requested_by text not null references employee (id),
    requested_at bigint not null,
    expires_at   bigint not null,
    note         text not null,            -- for the one who releases it
    digest       bytea not null,           -- SHA-256 over the seal and all items: what is released
    state        text not null check (state in ('open', 'released', 'done', 'refused', 'withdrawn', 'expired')),
    decided_by   text references employee (id),
    decided_at   bigint not null,
    reason       text not null,            -- of a refusal
    ended_at     bigint not null,
    check (decided_by is null or decided_by <> requested_by),
    check (state not in ('released', 'done', 'refused') or decided_by is not null)
);
create index seal_request_queue on seal_request (seal_id, state, requested_at);
create index seal_request_by on seal_request (requested_by, requested_at);

create table seal_item (
    request_id  text not null references seal_request (id),
    position    bigint not null,
    document_id text not null references document (id),
    name        text not null,             -- of the file, as it is shown
    version     bigint not null,           -- of the document that is sealed
    digest      bytea not null,            -- SHA-256 of that version
    request     text not null,             -- JSON: place and level
    state       text not null check (state in ('waiting', 'done', 'failed')),
    problem     text not null,             -- why it failed
    finished_at bigint not null,
    primary key (request_id, position)
);
create index seal_item_document on seal_item (document_id);

-- seal_window is the activation of a seal for an application: asked for by one
-- keeper, opened by another, bounded in time and number of documents.
create table seal_window (
    id           text primary key,
    seal_id      text not null references seal (id),
    client_id    text not null references api_client (id),
    state        text not null check (state in ('asked', 'proposed', 'open', 'closed', 'refused')),
    asked_at     bigint not null,          -- by the application; 0 when a keeper began
    requested_by text references employee (id),
    requested_at bigint not null,
    lasts        bigint not null,          -- microseconds from its opening
    documents    bigint not null,          -- most that may be sealed
    opened_by    text references employee (id),
    opened_at    bigint not null,
    expires_at   bigint not null,
    code_hash    bytea not null,           -- of the code of the activation
    used         bigint not null,          -- documents sealed
    ended_at     bigint not null,
    ended_by     text not null,            -- account, or client:ID
    check (opened_by is null or (requested_by is not null and opened_by <> requested_by)),
    check (state <> 'open' or opened_by is not null),
    check (used = 0 or opened_by is not null),
    check (used >= 0 and used <= documents)
);
create index seal_window_seal on seal_window (seal_id, state, asked_at);
create unique index seal_window_code on seal_window (code_hash) where length(code_hash) > 0;

-- seal_code opens one call of an application within a window.
create table seal_code (
    code_hash  bytea primary key,
    window_id  text not null references seal_window (id),
    files      bigint not null,
    created_at bigint not null,
    expires_at bigint not null,
    used_at    bigint not null
);

-- seal_use is one use of a seal's key: written down before it, and after it.
create table seal_use (
    id            text primary key,
    seal_id       text not null references seal (id),
    serial        text not null,
    request_id    text references seal_request (id),
    position      bigint not null,
    window_id     text references seal_window (id),
    hash          bytea not null,          -- that the key signs
    state         text not null check (state in ('intended', 'made', 'lost')),
    value         bytea not null,
    document_id   text references document (id),
    source_sha256 bytea not null,          -- of the file before
    sha256        bytea not null,          -- of the sealed file
    version       bigint not null,         -- of the document that holds it
    level         text not null,
    intended_at   bigint not null,
    made_at       bigint not null,
    check ((request_id is null) <> (window_id is null)),
    check (state <> 'made' or length(value) > 0)
);
-- What was released once is sealed once.
create unique index seal_use_once on seal_use (request_id, position) where request_id is not null and state <> 'lost';
create index seal_use_seal on seal_use (seal_id, intended_at);
create index seal_use_document on seal_use (document_id, made_at) where document_id is not null;

-- +goose Down
select 1;
