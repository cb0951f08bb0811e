-- name: VoidEnrolLinks :execrows
update enrol_link set superseded_at = sqlc.arg(used_at) where registration_id = sqlc.arg(registration_id) and used_at = 0 and superseded_at = 0;

-- name: VoidInvitations :execrows
update invitation set superseded_at = sqlc.arg(used_at) where account_id = sqlc.arg(account_id) and used_at = 0 and superseded_at = 0;

-- name: DisableAgain :execrows
update account set state = 'disabled', updated_at = $2 where id = $1 and state <> 'disabled';

-- name: EraseAgain :execrows
update evidence set key_sealed = '', thumb_sealed = '', state = 'erased' where id = $1 and state <> 'erased';

-- name: TakeRolesAgain :execrows
delete from role_grant where account_id = $1 and role = $2;

-- name: EndAllSessions :execrows
update session set revoked_at = $1 where revoked_at = 0;

-- name: CertificatesToTry :many
select serial, issuer, der from certificate where state = 'issued' and serial > sqlc.arg(after) order by serial limit sqlc.arg(max_rows);

-- name: EvidenceToTry :many
select id, employee_id, kind, key_sealed from evidence where state = 'current' and length(key_sealed) > 0 order by uploaded_at desc, id limit $1;

-- name: RegistrationsToFollow :many
select r.id, c.serial, c.revocation_reason from registration r join certificate c on c.registration_id = r.id
where r.status = 'Issue' and c.revoked_at > 0 and c.revocation_reason <> 6;
