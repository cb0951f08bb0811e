-- name: AppendStatusEvent :one
insert into status_event (seq, issuer, serial, at, reason)
select coalesce(max(seq), 0) + 1, sqlc.arg(issuer), sqlc.arg(serial), sqlc.arg(at), sqlc.arg(reason) from status_event
returning seq;

-- name: LastStatusEvent :one
select cast(coalesce(max(seq), 0) as bigint) as seq from status_event;

-- name: StatusEventsAfter :many
select * from status_event where seq > sqlc.arg(after) order by seq limit sqlc.arg(max_rows);

-- name: StatusEventsOf :many
-- What a delta CRL tells: the changes of one CA within a range.
select serial, at, reason from status_event
where issuer = sqlc.arg(issuer) and seq > sqlc.arg(after) and seq <= sqlc.arg(upto) order by seq;

-- name: HoldCertificate :execrows
update certificate set revoked_at = $2, revocation_reason = 6 where serial = $1 and revoked_at = 0;

-- name: ReleaseCertificate :execrows
update certificate set revoked_at = 0, revocation_reason = 0 where serial = $1 and revoked_at > 0 and revocation_reason = 6;

-- name: RevokeHeldCertificate :execrows
-- The suspension becomes a revocation as of its own time.
update certificate set revocation_reason = $2 where serial = $1 and revoked_at > 0 and revocation_reason = 6;

-- name: RevokeElsewhere :execrows
insert into revoked_elsewhere (serial, issuer, revoked_at, reason) values ($1, $2, $3, $4) on conflict do nothing;

-- name: RevokedElsewhere :one
select * from revoked_elsewhere where serial = $1;

-- name: AuthorityCertificateStatus :one
select issuer, revoked_at, revocation_reason from authority_certificate where serial = $1;

-- name: ReserveCRL :one
-- The number is above every number of the CA in the table and above floor, the
-- highest number known outside: a restored database must not use one again.
insert into crl (issuer, number, state, this_update, next_update, der, list, upto, base)
select sqlc.arg(issuer),
    case when coalesce(max(number), 0) < cast(sqlc.arg(floor) as bigint) then cast(sqlc.arg(floor) as bigint) + 1
    else coalesce(max(number), 0) + 1 end,
    'reserved', sqlc.arg(this_update), sqlc.arg(next_update), '', sqlc.arg(list), sqlc.arg(upto), sqlc.arg(base)
from crl where issuer = sqlc.arg(issuer) returning number;

-- name: PublishList :execrows
update crl set state = 'published', der = $3, entries = $4 where issuer = $1 and number = $2 and state = 'reserved';

-- name: LatestList :one
select * from crl where issuer = $1 and list = $2 and state = 'published' order by number desc limit 1;

-- name: LatestListHead :one
-- All of the list but its octets.
select number, this_update, next_update, upto, base, entries from crl
where issuer = $1 and list = $2 and state = 'published' order by number desc limit 1;

-- name: ForgetLists :execrows
-- Of big lists that were replaced the octets go; numbers and hashes stay.
update crl set der = '' where issuer = sqlc.arg(issuer) and list = sqlc.arg(list) and number < sqlc.arg(number) and length(der) > cast(sqlc.arg(octets) as bigint);

-- name: InsertRevocationRequest :exec
insert into revocation_request (id, registration_id, serial, subscriber_id, state, reason_code, reason_text, requested_by, requested_at, decided_at)
values ($1, $2, $3, $4, 'open', $5, $6, $7, $8, 0);

-- name: OpenRevocationRequest :one
select * from revocation_request where registration_id = $1 and state = 'open';

-- name: DecideRevocationRequest :execrows
update revocation_request set state = sqlc.arg(state), decided_by = sqlc.arg(decided_by), decided_at = sqlc.arg(decided_at)
where id = sqlc.arg(id) and state = 'open';

-- name: ListsOf :many
select distinct list from crl where issuer = $1 and state = 'published';

-- name: ValidSerials :many
select serial from certificate
where issuer = sqlc.arg(issuer) and serial > sqlc.arg(after) and state = 'issued' and revoked_at = 0 and not_after > sqlc.arg(now)
order by serial limit sqlc.arg(max_rows);

-- name: ConcernedCertificates :many
-- What an incident concerns and is not revoked; empty parameters choose nothing
-- away.
select c.serial, c.registration_id, c.subject, c.issued_at from certificate c
join credential k on k.id = c.credential_id
join registration r on r.id = c.registration_id
where c.serial > sqlc.arg(after) and c.state = 'issued' and (c.revoked_at = 0 or c.revocation_reason = 6)
    and (cast(sqlc.arg(issuer) as text) = '' or c.issuer = sqlc.arg(issuer))
    and (cast(sqlc.arg(issued_from) as bigint) = 0 or c.issued_at >= sqlc.arg(issued_from))
    and (cast(sqlc.arg(issued_before) as bigint) = 0 or c.issued_at < sqlc.arg(issued_before))
    and (cast(sqlc.arg(algorithm) as text) = '' or k.algorithm = sqlc.arg(algorithm))
    and (cast(sqlc.arg(unit_id) as text) = '' or exists (
        select 1 from unit_scope u where u.unit_id = r.unit_id and u.ancestor_id = sqlc.arg(unit_id)))
order by c.serial limit 1000;

-- name: LeaversWithCertificates :many
select distinct r.employee_id from registration r join employee e on e.id = r.employee_id
where r.status = 'Issue' and not e.active limit 500;
