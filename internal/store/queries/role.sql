-- name: InsertRoleRequest :exec
insert into role_request (id, account_id, role, unit_id, state, asked_by, asked_at, decided_at, reason)
values ($1, $2, $3, $4, $5, $6, $7, 0, '');

-- name: GetRoleRequest :one
select * from role_request where id = $1;

-- name: OpenRoleRequests :many
select r.*, t.display_name as name, t.username, t.email, t.state as account_state, t.created_at as account_since,
    a.display_name as asker, cast(coalesce(u.code, '') as text) as unit_code, cast(coalesce(u.name, '') as text) as unit_name
from role_request r join account t on t.id = r.account_id join account a on a.id = r.asked_by left join unit u on u.id = r.unit_id
where r.state = 'open' and (r.account_id = sqlc.arg(account_id) or cast(sqlc.arg(account_id) as text) = '')
order by r.asked_at, r.id limit 200;

-- name: CountRoleRequests :one
-- What waits for an administrator: neither asked by him nor for himself.
select count(*) from role_request where state = 'open' and asked_by <> sqlc.arg(viewer) and account_id <> sqlc.arg(viewer)
    and exists (select 1 from role_grant g where g.account_id = sqlc.arg(viewer) and g.role = 'administrator' and g.granted_at <= asked_at);

-- name: DecideRoleRequest :execrows
update role_request set state = sqlc.arg(state), decided_by = sqlc.arg(decided_by), decided_at = sqlc.arg(now), reason = sqlc.arg(reason)
where id = sqlc.arg(id) and state = 'open';

-- name: LapseRoleRequests :execrows
-- What was asked for an account, or by it, waits no longer.
update role_request set state = 'lapsed', decided_at = sqlc.arg(now)
where state = 'open' and (asked_by = sqlc.arg(asked_by) or account_id = sqlc.arg(account_id));

-- name: RoleDeciders :many
-- Who may decide what asked_by wants for account_id: the other administrators
-- that there were when it was asked.
select a.id from account a left join employee e on e.id = a.employee_id
where a.state = 'active' and coalesce(e.active, true) and a.id <> sqlc.arg(asked_by) and a.id <> sqlc.arg(account_id)
    and exists (select 1 from role_grant g where g.account_id = a.id and g.role = 'administrator' and g.granted_at <= sqlc.arg(asked_at))
order by a.id;

-- name: InsertAdministratorEnd :exec
insert into administrator_end (id, account_id, ended_by, ended_at) values ($1, $2, $3, $4);

-- name: LastAdministratorEnd :one
select cast(coalesce(max(ended_at), 0) as bigint) from administrator_end where account_id <> sqlc.arg(account_id);
