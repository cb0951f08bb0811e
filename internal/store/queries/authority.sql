-- name: RecordAuthorityCertificate :execrows
insert into authority_certificate (serial, issuer, name, purpose, subject, der, spki_hash, not_before, not_after, recorded_at, revoked_at, revocation_reason)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 0)
on conflict do nothing;

-- name: AuthorityCertificates :many
select * from authority_certificate order by not_before, name;

-- name: AuthorityCertificate :one
select * from authority_certificate where serial = $1;

-- name: RevokeAuthorityCertificate :execrows
update authority_certificate set revoked_at = $2, revocation_reason = $3 where serial = $1 and revoked_at = 0;

-- name: InsertApproval :exec
insert into approval (review_id, about_id, credential_id, authenticator_data, client_data, signature, created_at)
values ($1, $2, $3, $4, $5, $6, $7);

-- name: ApprovalsOf :many
-- The signatures under the approvals of a registration that stand.
select v.stage, v.officer_id, a.about_id, a.credential_id, a.authenticator_data, a.client_data, a.signature
from approval a
join review v on v.id = a.review_id
where v.registration_id = $1 and v.verdict = 'accepted' and v.voided_at = 0
order by v.stage;

-- name: CarryApproval :exec
-- The signature under a check that is carried over stays one about the
-- registration that the officer saw.
insert into approval (review_id, about_id, credential_id, authenticator_data, client_data, signature, created_at)
select cast(sqlc.arg(to_review) as text), a.about_id, a.credential_id, a.authenticator_data, a.client_data, a.signature, a.created_at
from approval a where a.review_id = sqlc.arg(from_review);

-- name: PinPasskey :exec
insert into approval_passkey (credential_id, employee_id, public_key, pinned_at) values ($1, $2, $3, $4)
on conflict (credential_id) do update set employee_id = excluded.employee_id, public_key = excluded.public_key, pinned_at = excluded.pinned_at;

-- name: UnpinPasskey :exec
delete from approval_passkey where credential_id = $1;

-- name: PinnedPasskeys :many
select * from approval_passkey order by employee_id, pinned_at;

-- name: PinnedPasskeysOf :many
select * from approval_passkey where employee_id = $1 order by pinned_at;

-- name: OfficersPasskeys :many
-- The passkeys of those who may approve.
select p.id, p.credential_id, p.data, p.name, p.created_at, a.username, a.display_name, e.id as employee_id, e.nip
from passkey p
join account a on a.id = p.account_id
join employee e on e.id = a.employee_id
where a.state = 'active' and e.active
  and exists (select 1 from role_grant g where g.account_id = a.id and g.role = 'registration_officer')
order by a.username, p.created_at;

-- name: InsertCheckRun :exec
insert into check_run (id, started_at, finished_at, reached, checked, problems, told_at) values ($1, $2, 0, '', 0, 0, 0);

-- name: LatestCheckRun :one
select * from check_run order by started_at desc, id desc limit 1;

-- name: LatestFinishedCheckRun :one
select * from check_run where finished_at > 0 order by started_at desc, id desc limit 1;

-- name: AdvanceCheckRun :execrows
-- Only from where it was read: two processes at one run do not count twice.
update check_run set reached = sqlc.arg(reached), checked = checked + sqlc.arg(checked), problems = problems + sqlc.arg(problems),
    finished_at = sqlc.arg(finished_at)
where id = sqlc.arg(id) and reached = sqlc.arg(from_reached) and finished_at = 0;

-- name: SetCheckRunTold :execrows
update check_run set told_at = $2 where id = $1 and told_at = 0;

-- name: InsertCheckProblem :exec
insert into check_problem (run_id, serial, what, found_at) values ($1, $2, $3, $4) on conflict do nothing;

-- name: CheckProblems :many
select * from check_problem where run_id = $1 order by serial, what limit $2;

-- name: CountIssuedCertificates :one
select count(*) from certificate where state = 'issued';

-- name: IssuedWithoutCertificate :many
-- Serials that the record says were issued, and of which the table has no
-- certificate.
select a.object_id as serial from audit a
left join certificate c on c.serial = a.object_id
where a.action = 'certificate.issue' and a.object_kind = 'certificate' and c.serial is null
order by a.seq limit $1;
