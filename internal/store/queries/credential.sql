-- name: InsertCredential :exec
insert into credential (id, employee_id, registration_id, state, generation, algorithm, salt, params_version,
    pepper_version, spki, csr, box, row_mac, attempts, created_at, updated_at)
values ($1, $2, $3, 'pending', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14);

-- name: LockCredential :one
update credential set updated_at = updated_at where id = $1 returning *;

-- name: GetCredential :one
select * from credential where id = $1;

-- name: LiveCredential :one
select * from credential where registration_id = $1 and state in ('pending', 'active');

-- name: SetCredentialState :execrows
update credential set state = $2, updated_at = $3 where id = $1;

-- name: EraseCredential :execrows
update credential set state = $2, box = '', row_mac = $4, updated_at = $3 where id = $1;

-- name: SetCredentialAttempts :exec
update credential set attempts = $2, updated_at = $3 where id = $1;

-- name: RewrapCredential :execrows
update credential set generation = sqlc.arg(generation), salt = sqlc.arg(salt), params_version = sqlc.arg(params_version),
    pepper_version = sqlc.arg(pepper_version), box = sqlc.arg(box), row_mac = sqlc.arg(row_mac), updated_at = sqlc.arg(now)
where id = sqlc.arg(id) and generation = sqlc.arg(old_generation);
