-- +goose Up
-- A revocation stands. A suspension (reason 6, certificateHold) may end, or
-- become a revocation as of its own time.
drop trigger certificate_stays on certificate;
create trigger certificate_stays before update on certificate for each row
    when (new.serial <> old.serial or new.tbs <> old.tbs or new.registration_id <> old.registration_id
       or (length(old.der) > 0 and new.der <> old.der)
       or (old.revoked_at > 0 and old.revocation_reason <> 6
           and (new.revoked_at <> old.revoked_at or new.revocation_reason <> old.revocation_reason))
       or (old.revoked_at > 0 and old.revocation_reason = 6 and new.revoked_at <> old.revoked_at
           and (new.revoked_at <> 0 or new.revocation_reason <> 0)))
    execute function refuse('a certificate does not change');
create trigger status_event_append_only before update or delete or truncate on status_event
    for each statement execute function refuse('status_event is append-only');
-- +goose Down
select 1;
