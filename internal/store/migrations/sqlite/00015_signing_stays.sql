-- +goose Up
-- +goose StatementBegin
create trigger signature_no_delete before delete on signature
begin select raise(abort, 'a use of a key is never forgotten'); end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger signature_stays before update on signature
when new.id <> old.id or new.credential_id <> old.credential_id or new.scheme <> old.scheme or new.hash <> old.hash
  or (old.state = 'made' and (new.state <> 'made' or new.value <> old.value))
  or (new.state = 'made' and length(new.value) = 0)
begin select raise(abort, 'a signature does not change'); end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger document_version_no_delete before delete on document_version
begin select raise(abort, 'a version of a document is only erased'); end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger document_version_stays before update on document_version
when new.document_id <> old.document_id or new.number <> old.number or new.blob_id <> old.blob_id or new.size <> old.size
  or new.sha256 <> old.sha256 or new.created_at <> old.created_at
begin select raise(abort, 'a version of a document does not change'); end;
-- +goose StatementEnd

-- +goose Down
select 1;
