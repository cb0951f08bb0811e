-- +goose Up
-- +goose StatementBegin
create trigger history_no_update before update on history begin select raise(abort, 'history is append-only'); end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger history_no_delete before delete on history begin select raise(abort, 'history is append-only'); end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger audit_no_update before update on audit begin select raise(abort, 'audit is append-only'); end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger audit_no_delete before delete on audit begin select raise(abort, 'audit is append-only'); end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger acceptance_no_update before update on acceptance begin select raise(abort, 'acceptance is append-only'); end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger acceptance_no_delete before delete on acceptance begin select raise(abort, 'acceptance is append-only'); end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger review_only_voids before update on review
when new.id <> old.id or new.registration_id <> old.registration_id or new.stage <> old.stage
  or new.officer_id <> old.officer_id or new.applicant_id <> old.applicant_id
  or new.snapshot_hash <> old.snapshot_hash or new.verdict <> old.verdict or new.note <> old.note
  or new.created_at <> old.created_at or old.voided_at <> 0
begin select raise(abort, 'a review can only be voided'); end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger review_no_delete before delete on review begin select raise(abort, 'a review can only be voided'); end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger certificate_no_delete before delete on certificate begin select raise(abort, 'a certificate is never forgotten'); end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger certificate_stays before update on certificate
when new.serial <> old.serial or new.tbs <> old.tbs or new.registration_id <> old.registration_id
  or (length(old.der) > 0 and new.der <> old.der)
  or (old.revoked_at > 0 and (new.revoked_at <> old.revoked_at or new.revocation_reason <> old.revocation_reason))
begin select raise(abort, 'a certificate does not change'); end;
-- +goose StatementEnd
-- +goose StatementBegin
create trigger review_applicant before insert on review
when new.applicant_id <> (select employee_id from registration where id = new.registration_id)
begin select raise(abort, 'applicant of a review is the applicant of its registration'); end;
-- +goose StatementEnd
insert into audit_head (id, size, hash) values (1, 0, x'');

-- +goose Down
select 1;
