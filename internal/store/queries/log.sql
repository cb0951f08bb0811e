-- name: InsertAuditNode :exec
insert into audit_node (level, idx, hash) values ($1, $2, $3) on conflict do nothing;

-- name: CountAuditNodes :one
select cast(coalesce(max(idx) + 1, 0) as bigint) from audit_node where level = $1;

-- name: AuditNodes :many
select idx, hash from audit_node where level = sqlc.arg(level) and idx >= sqlc.arg(first) and idx < sqlc.arg(until) order by idx;

-- name: InsertCheckpoint :exec
insert into checkpoint (size, at, frontier, note) values ($1, $2, $3, $4) on conflict do nothing;

-- name: LatestCheckpoint :one
select * from checkpoint order by size desc limit 1;

-- name: CheckpointsAfter :many
select * from checkpoint where size > sqlc.arg(after) order by size limit sqlc.arg(max_rows);

-- name: RecentCheckpoints :many
select * from checkpoint order by size desc limit $1;

-- name: ThinCheckpoints :exec
delete from checkpoint where checkpoint.at < sqlc.arg(before)
    and checkpoint.size not in (select max(c.size) from checkpoint c group by c.at / 86400000000);

-- name: LogIdentity :one
select origin, verifier_key from log_identity where id = 1;

-- name: InsertLogIdentity :exec
insert into log_identity (id, origin, verifier_key) values (1, $1, $2) on conflict do nothing;

-- name: SetLogCheck :exec
insert into log_check (kind, at, size, intact, detail) values ($1, $2, $3, $4, $5)
on conflict (kind) do update set at = excluded.at, size = excluded.size, intact = excluded.intact, detail = excluded.detail;

-- name: LogChecks :many
select * from log_check order by kind;

-- name: CertificatesForLog :many
select serial, registration_id, state, der, revoked_at from certificate where serial > sqlc.arg(after) order by serial limit sqlc.arg(max_rows);

-- name: LastHistories :many
select h.registration_id, h.hash from history h
where h.registration_id > sqlc.arg(after)
    and h.seq = (select max(x.seq) from history x where x.registration_id = h.registration_id)
order by h.registration_id limit sqlc.arg(max_rows);

-- name: LastPolicy :one
select * from audit where object_kind = 'policy' and object_id = 'policy' order by seq desc limit 1;
