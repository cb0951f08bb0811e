-- name: InsertEvidence :exec
insert into evidence (id, employee_id, kind, state, media_type, width, height, pages, size, sha256, upload_sha256,
    hints, key_sealed, thumb_sealed, uploaded_by, uploaded_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16);

-- name: GetEvidence :one
select * from evidence where id = $1;

-- name: CurrentEvidence :many
select * from evidence where employee_id = $1 and state = 'current' order by kind;

-- name: ListEvidence :many
select * from evidence where employee_id = $1 order by uploaded_at desc limit 100;

-- name: SetEvidenceState :execrows
update evidence set state = sqlc.arg(to_state) where id = sqlc.arg(id) and state = sqlc.arg(from_state);

-- name: ReplaceCurrentEvidence :exec
update evidence set state = 'replaced' where employee_id = $1 and kind = $2 and state = 'current';

-- name: EraseEvidence :exec
update evidence set state = 'erased', key_sealed = '', thumb_sealed = '' where id = $1;

-- name: EvidenceUsage :one
select count(*) as files, cast(coalesce(sum(size), 0) as bigint) as bytes from evidence
where employee_id = $1 and state in ('proposed', 'current');

-- name: EvidenceBySameUpload :many
select id, employee_id, kind from evidence where upload_sha256 = $1 and employee_id <> $2 and state <> 'erased' limit 5;

-- name: InsertEvidenceView :exec
insert into evidence_view (id, evidence_id, owner_id, account_id, role, purpose, viewed_at, reference)
values ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: ListEvidenceViews :many
select v.*, e.kind, a.display_name from evidence_view v
join evidence e on e.id = v.evidence_id left join account a on a.id = v.account_id
where v.owner_id = $1 order by v.viewed_at desc limit 200;

-- name: CountUploadsSince :one
select count(*) from evidence where employee_id = $1 and uploaded_at >= $2;
