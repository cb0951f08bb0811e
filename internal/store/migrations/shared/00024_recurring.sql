-- Letters that recur: how a unit arranges them, and many of them in one go.

-- +goose Up

-- Opens the file, sealed; empty where nobody is asked for it, or needs it no more.
alter table document add column password_sealed bytea not null default '';

-- letter_template is the named arrangement of a letter that recurs in a unit: who
-- signs in which order, and where. Its content is that of its newest version.
create table letter_template (
    id         text primary key,
    unit_id    text not null references unit (id),
    name       text not null,
    maker_id   text not null references employee (id),
    by_unit    boolean not null,           -- everybody in the unit may change it; otherwise who made it
    state      text not null check (state in ('active', 'retired')),
    version    bigint not null,
    created_at bigint not null,
    updated_at bigint not null
);
create index letter_template_unit on letter_template (unit_id, name);

-- letter_template_version never changes: what a document was prepared with can
-- be read for as long as the document.
create table letter_template_version (
    template_id text not null references letter_template (id),
    number      bigint not null,
    content     text not null,             -- JSON: steps, kind of letter, deadline
    made_by     text not null references employee (id),
    made_at     bigint not null,
    primary key (template_id, number)
);

-- bulk is many letters that are sent to their signers in one go: files and a
-- table that says of each who signs it, or a form that the table fills in.
create table bulk (
    id               text primary key,
    owner_id         text not null references employee (id),
    account_id       text not null,
    name             text not null,
    template_id      text not null,        -- empty: none
    template_version bigint not null,
    form_id          text not null,        -- document whose fields the table fills in; empty: the files are letters
    state            text not null check (state in ('draft', 'checking', 'checked', 'sending', 'sent', 'discarded')),
    sheet_sealed     bytea not null,       -- the table; empty once it is needed no more
    report           text not null,        -- JSON: what the last check found
    done             bigint not null,      -- rows that the work at hand is through with
    total            bigint not null,      -- rows of the table
    created_at       bigint not null,
    changed_at       bigint not null,
    sent_at          bigint not null
);
create index bulk_owner on bulk (owner_id, created_at);

-- bulk_item is one document of a bulk.
create table bulk_item (
    bulk_id     text not null references bulk (id),
    position    bigint not null,
    document_id text not null unique references document (id),
    file        text not null,             -- name by which the table knows it
    line        bigint not null,           -- of the table; 0: it names no such file
    number      text not null,             -- of the letter, as the table says
    subject     text not null,
    dated       text not null,
    primary key (bulk_id, position)
);

-- bulk_told is who was told once of a bulk, and not of each of its documents.
create table bulk_told (
    bulk_id     text not null references bulk (id),
    employee_id text not null references employee (id),
    what        text not null,
    primary key (bulk_id, employee_id, what)
);

alter table workflow add column template_id text not null default '';
alter table workflow add column template_version bigint not null default 0;
alter table workflow add column due_at bigint not null default 0;
alter table workflow add column bulk_id text not null default '';
create index workflow_bulk on workflow (bulk_id, state) where bulk_id <> '';
-- How and where the signer is asked to sign, JSON; empty: as he likes.
alter table workflow_step add column look text not null default '';

-- +goose Down
select 1;
