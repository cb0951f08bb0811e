-- name: InsertAPIAnswer :execrows
insert into api_answer (client_id, key_hash, object_id, process, done, sealed, lease_until, expires_at)
values ($1, $2, $3, $4, false, $5, $6, $7) on conflict do nothing;

-- name: GetAPIAnswer :one
select * from api_answer where client_id = $1 and key_hash = $2;

-- name: TakeOverAPIAnswer :execrows
update api_answer set process = sqlc.arg(process), lease_until = sqlc.arg(lease_until)
where client_id = sqlc.arg(client_id) and key_hash = sqlc.arg(key_hash) and done = false and process = sqlc.arg(old_process) and lease_until = sqlc.arg(old_lease);

-- name: FinishAPIAnswer :execrows
update api_answer set done = true, sealed = $3 where client_id = $1 and key_hash = $2;

-- name: DropAPIAnswer :execrows
delete from api_answer where client_id = $1 and key_hash = $2;

-- name: ReleaseAPIAnswer :execrows
update api_answer set lease_until = 0 where client_id = $1 and key_hash = $2 and done = false;

-- name: ReleaseAPIAnswers :execrows
update api_answer set lease_until = 0 where done = false;

-- name: ExpireAPIAnswers :execrows
delete from api_answer where expires_at <= $1;

-- name: InsertSandboxObject :execrows
insert into sandbox_object (id, client_id, kind, body, blob_id, key_sealed, created_at, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing;

-- name: GetSandboxObject :one
select * from sandbox_object where id = $1 and client_id = $2 and kind = $3 and expires_at > sqlc.arg(now);

-- name: SetSandboxObject :execrows
update sandbox_object set body = $3, blob_id = $4, key_sealed = $5 where id = $1 and client_id = $2;

-- name: SandboxObjects :many
select * from sandbox_object where client_id = sqlc.arg(client_id) and kind = sqlc.arg(kind) and expires_at > sqlc.arg(now)
  and (created_at < sqlc.arg(before) or (created_at = sqlc.arg(before) and id < sqlc.arg(before_id)))
order by created_at desc, id desc limit sqlc.arg(max_rows);

-- name: DropSandboxObject :execrows
delete from sandbox_object where id = $1;

-- name: ExpiredSandboxObjects :many
select id, client_id, blob_id from sandbox_object where expires_at <= $1 order by expires_at limit 500;

-- name: DocumentsOfClient :many
select d.*, v.size, v.sha256, e.nip as owner_nip, e.name as owner_name, w.state as workflow_state from document d
join document_version v on v.document_id = d.id and v.number = d.version
join employee e on e.id = d.owner_id
left join workflow w on w.document_id = d.id
where d.client_id = sqlc.arg(client_id) and d.client_id <> '' and d.state <> 'erased'
  and (cast(sqlc.arg(owner_id) as text) = '' or d.owner_id = sqlc.arg(owner_id))
  and (cast(sqlc.arg(state) as text) = '' or d.state = sqlc.arg(state))
  and (cast(sqlc.arg(scope_id) as text) = '' or exists (select 1 from unit_scope s where s.ancestor_id = sqlc.arg(scope_id) and s.unit_id = e.unit_id))
  and (d.created_at < sqlc.arg(before) or (d.created_at = sqlc.arg(before) and d.id < sqlc.arg(before_id)))
order by d.created_at desc, d.id desc limit sqlc.arg(max_rows);

-- name: RegistrationsSubmitted :many
select r.id, r.reference, r.kind, r.status, r.status_since, r.submitted_at, r.updated_at,
  e.id as employee_id, e.nip, e.name, e.position, e.active, u.name as unit_name
from registration r join employee e on e.id = r.employee_id join unit u on u.id = e.unit_id
where (cast(sqlc.arg(employee_id) as text) = '' or r.employee_id = sqlc.arg(employee_id))
  and (cast(sqlc.arg(status) as text) = '' or r.status = sqlc.arg(status))
  and r.updated_at >= sqlc.arg(since)
  and (cast(sqlc.arg(scope_id) as text) = '' or exists (select 1 from unit_scope s where s.ancestor_id = sqlc.arg(scope_id) and s.unit_id = e.unit_id))
  and (r.submitted_at < sqlc.arg(before) or (r.submitted_at = sqlc.arg(before) and r.id < sqlc.arg(before_id)))
order by r.submitted_at desc, r.id desc limit sqlc.arg(max_rows);

-- name: SignaturesOfActivation :many
select * from signature where activation_id = $1 and state = 'made' order by position, place;
