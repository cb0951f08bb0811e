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
create function forget_erasure_key() returns trigger language plpgsql as $$
begin
    delete from erasure_key where kind = tg_argv[0] and object_id = to_jsonb(old) ->> tg_argv[1];
    return null;
end $$;
-- +goose StatementEnd
create trigger evidence_forgets after update on evidence for each row
    when (length(new.key_sealed) = 0 and length(old.key_sealed) > 0) execute function forget_erasure_key('evidence', 'id');
create trigger registration_forgets after update on registration for each row
    when (length(new.snapshot) = 0 and length(old.snapshot) > 0) execute function forget_erasure_key('registration', 'id');
create trigger document_version_forgets after update on document_version for each row
    when (length(new.key_sealed) = 0 and length(old.key_sealed) > 0) execute function forget_erasure_key('document', 'document_id');
create trigger document_forgets after update on document for each row
    when (length(new.password_sealed) = 0 and length(old.password_sealed) > 0) execute function forget_erasure_key('password', 'id');
create trigger api_document_forgets after delete on api_document for each row
    execute function forget_erasure_key('upload', 'id');

-- +goose Down
select 1;
