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

-- An empty ancestor_id is everywhere; claim is '', 'free' or 'mine'.
-- name: CorrectionQueue :many
select c.*, e.name, e.nip, e.unit_id, u.name as unit_name, o.name as officer_name from correction c
join employee e on e.id = c.employee_id
join unit u on u.id = e.unit_id
left join employee o on o.id = c.claimed_by
where c.state = 'open' and c.employee_id <> cast(sqlc.arg(officer_id) as text)
    and (cast(sqlc.arg(ancestor_id) as text) = '' or exists (
        select 1 from unit_scope s where s.ancestor_id = sqlc.arg(ancestor_id) and s.unit_id = e.unit_id))
    and (cast(sqlc.arg(claim) as text) = '' or (cast(sqlc.arg(claim) as text) = 'free' and c.claimed_by is null)
        or (cast(sqlc.arg(claim) as text) = 'mine' and c.claimed_by = cast(sqlc.arg(officer_id) as text)))
    and (c.submitted_at > sqlc.arg(after_at) or (c.submitted_at = sqlc.arg(after_at) and c.id > sqlc.arg(after_id)))
order by c.submitted_at, c.id limit sqlc.arg(max_rows);

-- name: CountOpenCorrections :one
select count(*) as waiting,
    cast(coalesce(sum(case when c.claimed_by is null then 1 else 0 end), 0) as bigint) as free,
    cast(coalesce(sum(case when c.claimed_by = cast(sqlc.arg(officer_id) as text) then 1 else 0 end), 0) as bigint) as mine
from correction c
join employee e on e.id = c.employee_id
where c.state = 'open' and c.employee_id <> cast(sqlc.arg(officer_id) as text)
    and (cast(sqlc.arg(ancestor_id) as text) = '' or exists (
        select 1 from unit_scope s where s.ancestor_id = sqlc.arg(ancestor_id) and s.unit_id = e.unit_id));

-- Officers whose unit stands at or above a unit, the nearest first.
-- name: HROfficersAbove :many
select a.id, a.employee_id, a.display_name, a.email, a.locale, s.depth from role_grant g
join unit_scope s on s.ancestor_id = g.unit_id
join account a on a.id = g.account_id
where s.unit_id = sqlc.arg(unit_id) and g.role = 'hr_officer' and a.state = 'active' and a.employee_id is not null
order by s.depth, a.id;

-- name: HROfficersEverywhere :many
select a.id, a.employee_id, a.display_name, a.email, a.locale from role_grant g
join account a on a.id = g.account_id
where g.unit_id is null and g.role = 'hr_officer' and a.state = 'active' and a.employee_id is not null
order by a.id;

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
