-- name: InsertCorrection :exec
insert into correction (id, reference, employee_id, state, submitted_at, claimed_at, decided_at, version)
values ($1, $2, $3, 'open', $4, 0, 0, 1);

-- name: LockCorrection :one
update correction set version = version + 1 where id = $1 returning *;

-- name: GetCorrection :one
select * from correction where id = $1;

-- name: OpenCorrection :one
select * from correction where employee_id = $1 and state = 'open';

-- name: ListCorrectionsOfEmployee :many
select * from correction where employee_id = $1 order by submitted_at desc limit 50;

-- name: CorrectionQueue :many
select c.*, e.name, e.nip, e.unit_id from correction c
join employee e on e.id = c.employee_id
join unit_scope s on s.unit_id = e.unit_id and s.ancestor_id = sqlc.arg(ancestor_id)
where c.state = 'open' and c.employee_id <> sqlc.arg(not_employee_id)
order by c.submitted_at, c.id limit sqlc.arg(max_rows);

-- name: CountOpenCorrections :one
select count(*) from correction c
join employee e on e.id = c.employee_id
join unit_scope s on s.unit_id = e.unit_id and s.ancestor_id = sqlc.arg(ancestor_id)
where c.state = 'open' and c.employee_id <> sqlc.arg(not_employee_id);

-- name: ClaimCorrection :exec
update correction set claimed_by = $2, claimed_at = $3 where id = $1;

-- name: DecideCorrection :exec
update correction set state = $2, decided_by = $3, decided_at = $4 where id = $1;

-- name: InsertCorrectionItem :exec
insert into correction_item (id, correction_id, field, before_sealed, after_sealed, evidence_id, state, reason_code, reason_text, decided_at)
values ($1, $2, $3, $4, $5, $6, 'waiting', '', '', 0);

-- name: ReplaceCorrectionItem :exec
update correction_item set before_sealed = $2, after_sealed = $3, evidence_id = $4, state = 'waiting', reason_code = '', reason_text = ''
where id = $1;

-- name: CorrectionItems :many
select * from correction_item where correction_id = $1 order by field;

-- name: DecideCorrectionItem :exec
update correction_item set state = $2, reason_code = $3, reason_text = $4, decided_at = $5 where id = $1;

-- name: LastDecisions :many
select i.*, c.decided_at as correction_decided_at from correction_item i join correction c on c.id = i.correction_id
where c.employee_id = $1 and i.state in ('accepted', 'rejected') order by i.decided_at desc limit 100;
