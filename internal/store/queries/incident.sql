-- name: InsertIncident :exec
insert into incident (id, reference, state, reason_code, reason_text, scope, total, requested_by, requested_at, decided_at, finished_at)
values ($1, $2, 'waiting', $3, $4, $5, 0, $6, $7, 0, 0);

-- name: GetIncident :one
select * from incident where id = $1;

-- name: Incidents :many
select i.*, coalesce(q.display_name, '') as requested_name, coalesce(d.display_name, '') as decided_name
from incident i join account q on q.id = i.requested_by left join account d on d.id = i.decided_by
order by i.requested_at desc, i.id desc limit 100;

-- name: CountIncidentsFor :one
-- What waits for the decision of an administrator.
select count(*) from incident where state = 'waiting' and requested_by <> $1;

-- name: SetIncidentTotal :exec
update incident set total = $2 where id = $1;

-- name: DecideIncident :execrows
update incident set state = sqlc.arg(state), decided_by = sqlc.arg(decided_by), decided_at = sqlc.arg(decided_at)
where id = sqlc.arg(id) and state = 'waiting';

-- name: FinishIncident :execrows
update incident set state = 'done', finished_at = $2 where id = $1 and state = 'running';

-- name: InsertIncidentCertificate :exec
insert into incident_certificate (incident_id, serial, registration_id, state, done_at) values ($1, $2, $3, 'waiting', 0);

-- name: InsertConcerned :execrows
-- Everything that an incident concerns and that is not revoked; empty parameters
-- choose nothing away. As ConcernedCertificates and ConcernedCounts.
insert into incident_certificate (incident_id, serial, registration_id, state, done_at)
select cast(sqlc.arg(incident_id) as text), c.serial, c.registration_id, 'waiting', 0 from certificate c
join credential k on k.id = c.credential_id
join registration r on r.id = c.registration_id
where c.state = 'issued' and (c.revoked_at = 0 or c.revocation_reason = 6)
    and (cast(sqlc.arg(issuer) as text) = '' or c.issuer = sqlc.arg(issuer))
    and (cast(sqlc.arg(issued_from) as bigint) = 0 or c.issued_at >= sqlc.arg(issued_from))
    and (cast(sqlc.arg(issued_before) as bigint) = 0 or c.issued_at < sqlc.arg(issued_before))
    and (cast(sqlc.arg(algorithm) as text) = '' or k.algorithm = sqlc.arg(algorithm))
    and (cast(sqlc.arg(unit_id) as text) = '' or exists (
        select 1 from unit_scope u where u.unit_id = r.unit_id and u.ancestor_id = sqlc.arg(unit_id)));

-- name: ConcernedCounts :many
-- How many certificates an incident concerns, by their issuing CA.
select c.issuer, count(*) as certificates, cast(coalesce(sum(case when c.revoked_at > 0 then 1 else 0 end), 0) as bigint) as suspended,
    cast(coalesce(sum(case when c.not_after <= sqlc.arg(now) then 1 else 0 end), 0) as bigint) as expired
from certificate c
join credential k on k.id = c.credential_id
join registration r on r.id = c.registration_id
where c.state = 'issued' and (c.revoked_at = 0 or c.revocation_reason = 6)
    and (cast(sqlc.arg(issuer) as text) = '' or c.issuer = sqlc.arg(issuer))
    and (cast(sqlc.arg(issued_from) as bigint) = 0 or c.issued_at >= sqlc.arg(issued_from))
    and (cast(sqlc.arg(issued_before) as bigint) = 0 or c.issued_at < sqlc.arg(issued_before))
    and (cast(sqlc.arg(algorithm) as text) = '' or k.algorithm = sqlc.arg(algorithm))
    and (cast(sqlc.arg(unit_id) as text) = '' or exists (
        select 1 from unit_scope u where u.unit_id = r.unit_id and u.ancestor_id = sqlc.arg(unit_id)))
group by c.issuer order by c.issuer;

-- name: IncidentLeft :many
select serial, registration_id from incident_certificate
where incident_id = sqlc.arg(incident_id) and state = 'waiting' and serial > sqlc.arg(after)
order by serial limit sqlc.arg(max_rows);

-- name: SetIncidentCertificate :execrows
update incident_certificate set state = sqlc.arg(state), done_at = sqlc.arg(done_at)
where incident_id = sqlc.arg(incident_id) and serial = sqlc.arg(serial) and state = 'waiting';

-- name: IncidentCounts :many
select state, count(*) as certificates from incident_certificate where incident_id = $1 group by state order by state;

-- name: IncidentCertificates :many
select i.serial, i.state, i.done_at, c.subject, c.issuer, c.issued_at, e.name, e.nip from incident_certificate i
join certificate c on c.serial = i.serial join employee e on e.id = c.employee_id
where i.incident_id = sqlc.arg(incident_id) and i.serial > sqlc.arg(after)
order by i.serial limit sqlc.arg(max_rows);

-- name: Breaches :many
select * from breach order by known_at desc, id desc limit 200;

-- name: CountBreachesDue :one
-- Breaches whose subjects have not been told.
select count(*) from breach where told_at = 0;
