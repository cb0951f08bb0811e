-- name: ExtendAudit :one
update audit_head set size = size + $1 where id = 1 returning size, frontier;

-- name: SetAuditHead :exec
update audit_head set frontier = $1 where id = 1;

-- name: InsertAudit :exec
insert into audit (seq, at, actor_id, actor_role, action, object_kind, object_id, detail, prev_hash, hash, salt)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: ListAudit :many
select * from audit where seq > sqlc.arg(after) order by seq limit sqlc.arg(max_rows);

-- name: GetAudit :one
select * from audit where seq = $1;

-- name: ListAuditBefore :many
select * from audit where seq < sqlc.arg(before) and at >= sqlc.arg(since) and at < sqlc.arg(until)
order by seq desc limit sqlc.arg(max_rows);

-- name: ListAuditOfObject :many
select * from audit where object_kind = $1 and object_id = $2 order by seq limit 500;

-- name: AuditHead :one
select size, frontier from audit_head where id = 1;

-- name: ListAuditOfActorBefore :many
select * from audit where actor_id = sqlc.arg(actor_id) and seq < sqlc.arg(before) and at >= sqlc.arg(since) and at < sqlc.arg(until)
order by seq desc limit sqlc.arg(max_rows);

-- name: ListAuditOfObjectBefore :many
select * from audit where object_kind = sqlc.arg(object_kind) and object_id = sqlc.arg(object_id) and seq < sqlc.arg(before)
    and at >= sqlc.arg(since) and at < sqlc.arg(until)
order by seq desc limit sqlc.arg(max_rows);

-- name: AuditLeaves :many
select seq, hash from audit where seq > sqlc.arg(after) and seq <= sqlc.arg(until) order by seq;
