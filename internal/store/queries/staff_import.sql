-- name: InsertImport :exec
insert into staff_import (id, file_name, dry_run, state, content, total, done, created, updated, unchanged, rejected, report, created_by, created_at, finished_at)
values ($1, $2, $3, 'waiting', $4, 0, 0, 0, 0, 0, 0, '', $5, $6, 0);

-- name: GetImport :one
select * from staff_import where id = $1;

-- name: ListImports :many
select id, file_name, dry_run, state, total, done, created, updated, unchanged, rejected, created_by, created_at, finished_at
from staff_import order by created_at desc limit 50;

-- name: SetImportProgress :exec
update staff_import set state = $2, total = $3, done = $4 where id = $1;

-- name: FinishImport :exec
update staff_import set state = $2, total = $3, done = $4, created = $5, updated = $6, unchanged = $7, rejected = $8,
    report = $9, finished_at = $10 where id = $1;

-- name: ForgetImportContent :exec
update staff_import set content = '' where id = $1;

-- name: ForgetOldImports :execrows
update staff_import set content = '' where finished_at > 0 and finished_at < $1 and length(content) > 0;
