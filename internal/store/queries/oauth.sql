-- name: GetAPIClientOAuth :one
select * from api_client_oauth where client_id = $1;

-- name: SetAPIClientOAuth :exec
insert into api_client_oauth (client_id, redirects, window_life) values ($1, $2, $3)
on conflict (client_id) do update set redirects = excluded.redirects, window_life = excluded.window_life;

-- name: APIClientsWithWindows :many
select c.*, o.window_life from api_client c join api_client_oauth o on o.client_id = c.id
where c.enabled and not c.sandbox and o.window_life > 0 order by c.name;

-- name: InsertOAuthGrant :exec
insert into oauth_grant (id, client_id, account_id, employee_id, scope, credential_id, activation_id, created_at, ended_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, 0);

-- name: GetOAuthGrant :one
select * from oauth_grant where id = $1;

-- name: EndOAuthGrant :execrows
update oauth_grant set ended_at = $2 where id = $1 and ended_at = 0;

-- name: OAuthGrantsOf :many
select g.*, c.name as client_name, c.info as client_info from oauth_grant g join api_client c on c.id = g.client_id
where g.employee_id = $1 and g.scope = 'service' and g.ended_at = 0
  and exists (select 1 from oauth_secret s where s.grant_id = g.id and s.used_at = 0 and s.expires_at > $2)
order by g.created_at desc, g.id limit 100;

-- name: InsertOAuthSecret :exec
insert into oauth_secret (hash, kind, client_id, grant_id, data, created_at, expires_at, used_at) values ($1, $2, $3, $4, $5, $6, $7, 0);

-- name: GetOAuthSecret :one
select * from oauth_secret where hash = $1;

-- name: UseOAuthSecret :execrows
update oauth_secret set used_at = $2 where hash = $1 and used_at = 0;

-- name: DropOAuthSecrets :execrows
delete from oauth_secret where expires_at < $1;

-- name: InsertSigningWindow :exec
insert into signing_window (id, employee_id, account_id, client_id, credential_id, generation, process, max_uses, uses, digests, created_at, expires_at, ended_at, reason)
values ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10, $11, 0, '');

-- name: GetSigningWindow :one
select * from signing_window where id = $1;

-- name: SigningWindowsOf :many
select w.*, c.name as client_name from signing_window w join api_client c on c.id = w.client_id
where w.employee_id = $1 order by w.created_at desc, w.id limit 50;

-- name: OpenSigningWindowsOfClient :many
select * from signing_window where client_id = $1 and employee_id = $2 and ended_at = 0 and expires_at > $3 order by created_at desc;

-- name: UseSigningWindow :execrows
update signing_window set uses = uses + sqlc.arg(n)
where id = sqlc.arg(id) and ended_at = 0 and expires_at > sqlc.arg(now) and uses + sqlc.arg(n) <= max_uses;

-- name: EndSigningWindow :execrows
update signing_window set ended_at = $2, reason = $3 where id = $1 and ended_at = 0;

-- name: LeftSigningWindows :many
select * from signing_window where ended_at = 0 and expires_at <= $1 order by expires_at limit 1000;

-- name: ActivationOfToken :one
select * from activation where token_hash = $1;

-- name: SetActivationToken :execrows
update activation set token_hash = $2 where id = $1 and ended_at = 0;
