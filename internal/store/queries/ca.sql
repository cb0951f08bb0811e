-- name: InsertCertificateIntent :exec
insert into certificate (serial, registration_id, credential_id, employee_id, issuer, profile, state, tbs, der, spki_hash,
    subject, not_before, not_after, intended_at, issued_at, revoked_at, revocation_reason, warned_days)
values ($1, $2, $3, $4, $5, $6, 'intended', $7, '', $8, $9, $10, $11, $12, 0, 0, 0, 0);

-- name: StoreCertificate :execrows
update certificate set state = 'issued', der = $2, issued_at = $3 where serial = $1 and state = 'intended';

-- name: AbandonCertificate :execrows
update certificate set state = 'abandoned' where serial = $1 and state = 'intended';

-- name: GetCertificate :one
select * from certificate where serial = $1;

-- name: CertificateOfRegistration :one
select * from certificate where registration_id = $1;

-- name: CertificatesOfEmployee :many
select * from certificate where employee_id = $1 order by intended_at desc;

-- name: RevokeCertificate :execrows
update certificate set revoked_at = $2, revocation_reason = $3 where serial = $1 and revoked_at = 0;

-- name: ListCertificates :many
select * from certificate where serial > sqlc.arg(after) order by serial limit sqlc.arg(max_rows);

-- name: CertificatesToWarn :many
select c.* from certificate c join registration r on r.id = c.registration_id
where c.revoked_at = 0 and c.state = 'issued' and c.not_after > sqlc.arg(now) and c.not_after < sqlc.arg(soon)
    and (c.warned_days = 0 or c.warned_days > sqlc.arg(days)) and r.status = 'Issue' and r.succeeded_at = 0
order by c.not_after limit 500;

-- name: SetCertificateWarned :execrows
update certificate set warned_days = sqlc.arg(warned_days) where serial = sqlc.arg(serial) and warned_days = sqlc.arg(previous_days);

-- name: CertificatesToExpire :many
select c.* from certificate c join registration r on r.id = c.registration_id
where r.status = 'Issue' and c.not_after < $1 order by c.not_after limit 500;

-- name: LatestCRL :one
select * from crl where issuer = $1 and state = 'published' order by number desc limit 1;

-- name: CertificateStatus :one
select issuer, state, revoked_at, revocation_reason from certificate where serial = $1;

-- name: BlockKey :exec
insert into blocked_key (spki_hash, reason, created_at) values ($1, $2, $3) on conflict do nothing;

-- name: IsBlocked :one
select count(*) from blocked_key where spki_hash = $1;
