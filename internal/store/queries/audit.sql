-- name: ExtendAudit :one
update audit_head set size = size + $1 where id = 1 returning size, hash;

-- name: SetAuditHead :exec
update audit_head set hash = $1 where id = 1;

-- name: InsertAudit :exec
insert into audit (seq, at, actor_id, actor_role, action, object_kind, object_id, detail, prev_hash, hash)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: ListAudit :many
select * from audit where seq > sqlc.arg(after) order by seq limit sqlc.arg(max_rows);

-- name: ListAuditBefore :many
select * from audit where seq < sqlc.arg(before) order by seq desc limit sqlc.arg(max_rows);

-- name: ListAuditOfObject :many
select * from audit where object_kind = $1 and object_id = $2 order by seq limit 500;

-- name: AuditHead :one
select size, hash from audit_head where id = 1;

-- name: ListAuditOfActorBefore :many
select * from audit where actor_id = sqlc.arg(actor_id) and seq < sqlc.arg(before) order by seq desc limit sqlc.arg(max_rows);

-- name: ListAuditOfObjectBefore :many
select * from audit where object_kind = sqlc.arg(object_kind) and object_id = sqlc.arg(object_id) and seq < sqlc.arg(before)
order by seq desc limit sqlc.arg(max_rows);
