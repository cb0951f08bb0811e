-- The audit record becomes a Merkle log: the hash of a row is a leaf, and the
-- head holds the roots of the perfect subtrees instead of the last hash.

-- +goose Up
-- 128 random bits that keep the leaf from telling what the row says; empty in
-- rows of before.
alter table audit add column salt bytea not null default '';
-- Roots of the perfect subtrees of the leaves, the largest first, 32 bytes each.
alter table audit_head add column frontier bytea not null default '';
alter table audit_head drop column hash;

-- audit_node caches roots of subtrees of 256 leaves (level 1), 65,536 (level 2)
-- and so on. All of it can be computed again from audit.
create table audit_node (
    level bigint not null,
    idx   bigint not null,
    hash  bytea not null,
    primary key (level, idx)
);

-- checkpoint holds what was signed: the latest, and the last of every day.
create table checkpoint (
    size     bigint primary key,
    at       bigint not null,
    frontier bytea not null,
    note     text not null               -- signed note (C2SP tlog-checkpoint)
);

-- log_identity is the name and the key under which checkpoints are signed.
create table log_identity (
    id           bigint primary key check (id = 1),
    origin       text not null,
    verifier_key text not null
);

-- log_check is what the last verifications found.
create table log_check (
    kind   text primary key check (kind in ('tail', 'whole')),
    at     bigint not null,
    size   bigint not null,
    intact boolean not null,
    detail text not null
);

-- +goose Down
select 1;
