-- What the verification pages say of a signature: whether it is a certified one,
-- and for which office it was made.

-- +goose Up

-- Not every authority that is believed is one whose signatures the law calls
-- certified (tersertifikasi).
alter table trust_anchor add column certified boolean not null default false;

-- The lines of the office as the signer had it when he authorised the signature:
-- employees change office, and sign for the office of another by a decree. Empty
-- in rows that are older.
alter table activation_item add column signed_as text not null default '';
alter table activation_item add column decree text not null default '';  -- number of it

-- A file that somebody brings is found again by its hash.
create index document_version_sha256 on document_version (sha256);

-- +goose Down

drop index document_version_sha256;
alter table activation_item drop column decree;
alter table activation_item drop column signed_as;
alter table trust_anchor drop column certified;
