-- What the ca role asks and writes for many registrations at once (store.Of puts
-- the list in the place of $1).

-- name: RegistrationsForUpdate :many
-- PostgreSQL only. In one order for all, so that nobody waits in a circle.
select * from registration where id in ($1) order by id for update;

-- name: Registrations :many
select * from registration where id in ($1) order by id;

-- name: IssuanceOrders :many
-- What the authority must know of registrations: their state, their keys, the
-- two approvals that stand (an index lets there be one for each stage), and the
-- intents that are recorded.
select r.id, r.status, r.kind, r.employee_id, r.snapshot_hash,
    coalesce(k.id, '') as credential_id, coalesce(k.csr, '') as csr, coalesce(k.spki, '') as spki,
    coalesce(first.officer_id, '') as first_officer, coalesce(first.snapshot_hash, '') as first_hash,
    coalesce(second.officer_id, '') as second_officer, coalesce(second.snapshot_hash, '') as second_hash,
    coalesce(c.state, '') as certificate_state
from registration r
left join credential k on k.registration_id = r.id and k.state in ('pending', 'active')
left join review first on first.registration_id = r.id and first.stage = 1 and first.verdict = 'accepted' and first.voided_at = 0
left join review second on second.registration_id = r.id and second.stage = 2 and second.verdict = 'accepted' and second.voided_at = 0
left join certificate c on c.registration_id = r.id
where r.id in ($1);

-- name: BlockedKeys :many
select spki_hash from blocked_key where spki_hash in ($1);

-- name: IntentStates :many
select registration_id, serial, state from certificate where registration_id in ($1);

-- name: HistoryEnds :many
select h.registration_id, h.seq, h.hash from history h
where h.registration_id in ($1)
    and h.seq = (select max(m.seq) from history m where m.registration_id = h.registration_id);

-- name: Employees :many
select * from employee where id in ($1);

-- name: EmployeeSnapshots :many
-- What officers judge about employees: a row for each scan that stands, or one
-- row without a scan.
select e.id, e.active, e.nip, e.nik_sealed, e.name, e.position, e.grade, e.unit_id, u.name as unit_name, e.email, e.phone,
    e.birth_place, e.birth_date, e.sex, coalesce(s.id, '') as scan_id, coalesce(s.kind, '') as scan_kind,
    coalesce(s.sha256, '') as scan_sha256
from employee e join unit u on u.id = e.unit_id
left join evidence s on s.employee_id = e.id and s.state = 'current'
where e.id in ($1) order by e.id, s.kind;
