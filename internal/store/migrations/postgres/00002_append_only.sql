-- +goose Up
-- +goose StatementBegin
create function refuse() returns trigger language plpgsql as $$
begin
    raise exception '%', tg_argv[0] using errcode = 'integrity_constraint_violation';
end $$;
-- +goose StatementEnd
create trigger history_append_only before update or delete or truncate on history
    for each statement execute function refuse('history is append-only');
create trigger audit_append_only before update or delete or truncate on audit
    for each statement execute function refuse('audit is append-only');
create trigger acceptance_append_only before update or delete or truncate on acceptance
    for each statement execute function refuse('acceptance is append-only');
create trigger review_no_delete before delete or truncate on review
    for each statement execute function refuse('a review can only be voided');
create trigger review_only_voids before update on review for each row
    when (new.id <> old.id or new.registration_id <> old.registration_id or new.stage <> old.stage
       or new.officer_id <> old.officer_id or new.applicant_id <> old.applicant_id
       or new.snapshot_hash <> old.snapshot_hash or new.verdict <> old.verdict or new.note <> old.note
       or new.created_at <> old.created_at or old.voided_at <> 0)
    execute function refuse('a review can only be voided');
create trigger certificate_no_delete before delete or truncate on certificate
    for each statement execute function refuse('a certificate is never forgotten');
create trigger certificate_stays before update on certificate for each row
    when (new.serial <> old.serial or new.tbs <> old.tbs or new.registration_id <> old.registration_id
       or (length(old.der) > 0 and new.der <> old.der)
       or (old.revoked_at > 0 and (new.revoked_at <> old.revoked_at or new.revocation_reason <> old.revocation_reason)))
    execute function refuse('a certificate does not change');
-- +goose StatementBegin
create function review_applicant() returns trigger language plpgsql as $$
begin
    if new.applicant_id <> (select employee_id from registration where id = new.registration_id) then
        raise exception 'applicant of a review is the applicant of its registration' using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end $$;
-- +goose StatementEnd
create trigger review_applicant before insert on review for each row execute function review_applicant();
insert into audit_head (id, size, hash) values (1, 0, '');

-- +goose Down
select 1;
