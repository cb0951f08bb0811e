-- name: SetTrustAnchor :exec
insert into trust_anchor (id, certificate, fingerprint, subject, not_before, not_after, sunset, hosts, note, added_at, added_by, certified, withdrawn_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0)
on conflict (fingerprint) do update set sunset = excluded.sunset, hosts = excluded.hosts, note = excluded.note, added_at = excluded.added_at,
    added_by = excluded.added_by, certified = excluded.certified, withdrawn_at = 0;

-- name: GetTrustAnchor :one
select t.*, a.display_name as added_by_name from trust_anchor t join account a on a.id = t.added_by where t.id = $1 and t.withdrawn_at = 0;

-- name: TrustAnchorByFingerprint :one
select * from trust_anchor where fingerprint = $1 and withdrawn_at = 0;

-- name: ListTrustAnchors :many
select t.*, a.display_name as added_by_name from trust_anchor t join account a on a.id = t.added_by where t.withdrawn_at = 0 order by t.subject, t.id;

-- name: WithdrawTrustAnchor :execrows
update trust_anchor set withdrawn_at = $2 where id = $1 and withdrawn_at = 0;

-- name: CountTrustAnchors :one
select count(*) from trust_anchor where withdrawn_at = 0;
