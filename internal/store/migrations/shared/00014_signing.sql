-- Documents that people sign, the activations of their keys, and every
-- signature that was made.

-- +goose Up

-- document is one PDF file with what was signed onto it. Its id is public: the
-- QR code of its signatures leads to /verifikasi/ID.
create table document (
    id         text primary key,
    owner_id   text not null references employee (id),
    client_id  text not null,              -- application that brought it; empty for the portal
    name       text not null,              -- of the file, as its owner calls it
    kind       text not null,              -- kind of official letter, for what a Plt. or Plh. may not sign
    state      text not null check (state in ('new', 'signed', 'erased')),
    pages      bigint not null,
    encrypted  boolean not null,           -- the file asks for a password
    shared     boolean not null,           -- whoever has the QR code may fetch the file
    version    bigint not null,            -- number of the newest version
    created_at bigint not null,
    updated_at bigint not null
);
create index document_owner on document (owner_id, created_at, id);

-- document_version is the file as it was uploaded (1) and after each act of
-- signing. Its bytes are the sealed blob; a version never changes.
create table document_version (
    document_id text not null references document (id),
    number      bigint not null,
    blob_id     text not null unique,
    key_sealed  bytea not null,            -- key of the blob; empty once erased
    size        bigint not null,
    sha256      bytea not null,
    created_at  bigint not null,
    primary key (document_id, number)
);

-- activation is one unlocking of a key for a fixed list of things to sign. The
-- unlocked key is only in the memory of the process that unlocked it.
create table activation (
    id            text primary key,
    token_hash    bytea not null unique,   -- of what its holder shows (SAD)
    credential_id text not null references credential (id),
    employee_id   text not null references employee (id),
    account_id    text not null,
    client_id     text not null,
    process       text not null,           -- that holds the key
    generation    bigint not null,         -- of the credential
    created_at    bigint not null,
    expires_at    bigint not null,
    ended_at      bigint not null
);
create index activation_employee on activation (employee_id, created_at);
create index activation_open on activation (expires_at) where ended_at = 0;

-- activation_item is one of those things: these very bytes and this way of
-- signing them, or one hash.
create table activation_item (
    activation_id text not null references activation (id),
    position      bigint not null,
    kind          text not null check (kind in ('document', 'file', 'hash')),
    document_id   text references document (id),
    digest        bytea not null,          -- SHA-256 of the bytes, or the hash itself
    request       text not null,           -- JSON: places, level, authority; of a hash its algorithm
    name          text not null,           -- of the file, as it is shown
    uses          bigint not null,         -- signatures that it takes
    state         text not null check (state in ('unused', 'used', 'done', 'failed')),
    problem       text not null,           -- why it failed
    finished_at   bigint not null,
    primary key (activation_id, position)
);
create index activation_item_document on activation_item (document_id) where document_id is not null;

-- signature is one use of a key. The row is there before the key signs
-- (intended) and says after it what came of it: made, with the value, or lost
-- when the program ended in between and nobody ever got the value.
create table signature (
    id            text primary key,
    activation_id text not null references activation (id),
    position      bigint not null,
    place         bigint not null,         -- 0, 1, ... within the item
    credential_id text not null references credential (id),
    serial        text not null references certificate (serial),
    scheme        text not null check (scheme in ('ecdsa', 'pkcs1', 'pss')),
    hash          bytea not null,          -- that the key signs
    state         text not null check (state in ('intended', 'made', 'lost')),
    value         bytea not null,
    document_id   text references document (id),
    source_sha256 bytea not null,          -- of the file before
    version       bigint not null,         -- of the document that holds it; 0 until then
    level         text not null,
    intended_at   bigint not null,
    made_at       bigint not null,
    unique (credential_id, scheme, hash),
    unique (activation_id, position, place)
);
create index signature_document on signature (document_id, made_at) where document_id is not null;
create index signature_intended on signature (intended_at) where state = 'intended';
-- Of one document only one signature is on its way.
create unique index signature_busy on signature (document_id) where state = 'intended' and place = 0 and document_id is not null;

-- signing_authority is the right to sign for an office that is not one's own,
-- by a decree.
create table signing_authority (
    id          text primary key,
    employee_id text not null references employee (id),
    form        text not null check (form in ('an', 'ub', 'plt', 'plh')),
    office      text not null,             -- that is acted for: "Sekretaris Jenderal"
    behalf      text not null,             -- u.b.: the office between; else empty
    decree      text not null,             -- number of the decree
    decree_date text not null,             -- YYYY-MM-DD
    valid_from  text not null,             -- YYYY-MM-DD, the first day
    valid_until text not null,             -- YYYY-MM-DD, the last day; empty for a.n. and u.b. without an end
    forbidden   text not null,             -- JSON: kinds of letters that it does not cover
    entered_by  text not null,             -- account
    entered_at  bigint not null,
    revoked_by  text not null,
    revoked_at  bigint not null,
    check (form in ('an', 'ub') or valid_until <> '')
);
create index signing_authority_employee on signing_authority (employee_id, valid_from);

-- +goose Down
select 1;
