-- +goose Up
create trigger signature_no_delete before delete or truncate on signature
    for each statement execute function refuse('a use of a key is never forgotten');
create trigger signature_stays before update on signature for each row
    when (new.id <> old.id or new.credential_id <> old.credential_id or new.scheme <> old.scheme or new.hash <> old.hash
       or (old.state = 'made' and (new.state <> 'made' or new.value <> old.value))
       or (new.state = 'made' and length(new.value) = 0))
    execute function refuse('a signature does not change');
create trigger document_version_no_delete before delete or truncate on document_version
    for each statement execute function refuse('a version of a document is only erased');
create trigger document_version_stays before update on document_version for each row
    when (new.document_id <> old.document_id or new.number <> old.number or new.blob_id <> old.blob_id or new.size <> old.size
       or new.sha256 <> old.sha256 or new.created_at <> old.created_at)
    execute function refuse('a version of a document does not change');

-- +goose Down
select 1;
