-- +goose Up
-- erasure_key has a random key for each thing that can be erased. What a backup
-- holds of such a thing is encrypted with it, and the key is in no backup but in
-- a file that the next backup replaces (decision 30). It goes with the thing.
create table erasure_key (
    kind      text not null,
    object_id text not null,
    secret    bytea not null,
    primary key (kind, object_id)
);
-- +goose StatementBegin
create trigger evidence_forgets after update on evidence
when length(new.key_sealed) = 0 and length(old.key_sealed) > 0
begin delete from erasure_key where kind = 'evidence' and object_id = old.id; end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger registration_forgets after update on registration
when length(new.snapshot) = 0 and length(old.snapshot) > 0
begin delete from erasure_key where kind = 'registration' and object_id = old.id; end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger document_version_forgets after update on document_version
when length(new.key_sealed) = 0 and length(old.key_sealed) > 0
begin delete from erasure_key where kind = 'document' and object_id = old.document_id; end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger document_forgets after update on document
when length(new.password_sealed) = 0 and length(old.password_sealed) > 0
begin delete from erasure_key where kind = 'password' and object_id = old.id; end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger api_document_forgets after delete on api_document
begin delete from erasure_key where kind = 'upload' and object_id = old.id; end;
-- +goose StatementEnd

-- +goose Down
select 1;
