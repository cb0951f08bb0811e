-- name: SetSucceeded :exec
update registration set succeeded_at = $2 where id = $1;

-- name: SucceededRegistrations :many
-- Renewed ones whose certificate is still valid.
select * from registration where employee_id = $1 and status = 'Issue' and succeeded_at > 0 order by id;

-- name: InsertRenewal :exec
insert into renewal (registration_id, old_serial, spki_hash, proof, created_at) values ($1, $2, $3, $4, $5);

-- name: RenewalOrder :one
-- What the authority must know of a renewal: the proof, the certificate that it
-- rests on, and whether the approvals are older than the request.
select r.submitted_at, coalesce(second.created_at, 0) as approved_at,
    coalesce(n.spki_hash, '') as spki_hash, coalesce(n.proof, '') as proof,
    coalesce(c.serial, '') as old_serial, coalesce(c.employee_id, '') as old_owner, coalesce(c.der, '') as old_der,
    coalesce(c.state, '') as old_state, coalesce(c.revoked_at, 0) as old_revoked_at
from registration r
left join review second on second.registration_id = r.id and second.stage = 2 and second.verdict = 'accepted' and second.voided_at = 0
left join renewal n on n.registration_id = r.id
left join certificate c on c.serial = n.old_serial and c.registration_id = r.replaces_id
where r.id = $1;

-- name: OpenLifeEvent :one
select * from life_event where employee_id = $1 and kind = $2 and closed_at = 0;

-- name: OpenLifeEventsOf :many
select * from life_event where employee_id = $1 and closed_at = 0 order by due_at, id;

-- name: InsertLifeEvent :exec
insert into life_event (id, employee_id, kind, detail, opened_at, due_at, told_at, closed_at, outcome)
values ($1, $2, $3, $4, $5, $6, $7, 0, '');

-- name: ChangeLifeEvent :exec
update life_event set detail = $2, due_at = $3 where id = $1 and closed_at = 0;

-- name: CloseLifeEvent :execrows
update life_event set closed_at = $2, outcome = $3 where id = $1 and closed_at = 0;

-- name: TellLifeEvent :execrows
update life_event set told_at = sqlc.arg(now) where id = sqlc.arg(id) and closed_at = 0 and told_at = sqlc.arg(before);

-- name: OpenLifeEvents :many
select l.*, e.name, e.nip, e.unit_id, u.name as unit_name from life_event l
join employee e on e.id = l.employee_id join unit u on u.id = e.unit_id
where l.closed_at = 0 order by l.due_at, l.id limit sqlc.arg(max_rows);

