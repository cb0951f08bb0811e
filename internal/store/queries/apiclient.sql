-- name: InsertAPIClient :exec
insert into api_client (id, name, info, secret_hash, previous_hash, previous_until, networks, scopes, corner, sandbox, rate, enabled, created_at, created_by, used_at, unit_id)
values ($1, $2, $3, $4, $5, 0, $6, $7, $8, $9, $10, true, $11, $12, 0, $13);

-- name: GetAPIClient :one
select * from api_client where id = $1;

-- name: GetAPIClientByName :one
select * from api_client where name = $1;

-- name: ListAPIClients :many
select * from api_client order by name;

-- name: ChangeAPIClient :execrows
update api_client set info = $2, networks = $3, scopes = $4, corner = $5, rate = $6, enabled = $7, unit_id = $8 where id = $1;

-- name: RotateAPIClient :execrows
update api_client set previous_hash = secret_hash, previous_until = $3, secret_hash = $2 where id = $1;

-- name: TouchAPIClient :exec
update api_client set used_at = $2 where id = $1;

-- name: InsertAPIDocument :exec
insert into api_document (id, client_id, name, blob_id, key_sealed, size, created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: TakeAPIDocument :one
delete from api_document where id = $1 and client_id = $2 and expires_at > $3 returning *;

-- name: ExpiredAPIDocuments :many
select id, client_id, blob_id from api_document where expires_at <= $1 order by expires_at limit 500;

-- name: DropAPIDocument :execrows
delete from api_document where id = $1;

-- name: APIClientEnabled :one
select enabled from api_client where name = $1;

-- name: EndAccessTokensOfClient :execrows
update oauth_secret set used_at = sqlc.arg(now) where client_id = sqlc.arg(client_id) and kind = 'access' and used_at = 0;

-- name: EndSigningWindowsOfClient :execrows
update signing_window set ended_at = sqlc.arg(now), reason = sqlc.arg(reason) where client_id = sqlc.arg(client_id) and ended_at = 0;

-- name: EndSealWindowsOfClient :execrows
update seal_window set state = 'closed', ended_at = sqlc.arg(now), ended_by = sqlc.arg(ended_by)
where client_id = sqlc.arg(client_id) and state in ('asked', 'proposed', 'open');
