-- name: InsertAccount :exec
insert into account (id, employee_id, username, display_name, email, password_hash, state, totp_sealed, totp_step,
    failed, locked_until, locale, last_login_at, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, '', 0, 0, 0, $8, 0, $9, $9);

-- name: GetAccount :one
select * from account where id = $1;

-- name: LockAccount :one
update account set updated_at = updated_at where id = $1 returning *;

-- name: GetAccountByUsername :one
select * from account where username = $1;

-- name: GetAccountByEmployee :one
select * from account where employee_id = $1;

-- name: ListAccounts :many
select * from account where username > sqlc.arg(after) order by username limit sqlc.arg(max_rows);

-- name: CountAccounts :one
select count(*) from account;

-- name: ReserveLogin :one
update account set failed = failed + 1, updated_at = sqlc.arg(now)
where id = sqlc.arg(id) and locked_until <= sqlc.arg(now) returning failed;

-- name: LockLogin :exec
update account set locked_until = $2 where id = $1;

-- name: LoginSucceeded :exec
update account set failed = 0, locked_until = 0, last_login_at = $2 where id = $1;

-- name: SetPassword :exec
update account set password_hash = $2, state = 'active', failed = 0, locked_until = 0, updated_at = $3 where id = $1 and state <> 'disabled';

-- name: SetAccountState :exec
update account set state = $2, updated_at = $3 where id = $1;

-- name: SetAccountLocale :exec
update account set locale = $2 where id = $1;

-- name: SetAccountContact :exec
update account set display_name = $2, email = $3, updated_at = $4 where id = $1;

-- name: SetTOTP :exec
update account set totp_sealed = $2, totp_step = $3, updated_at = $4 where id = $1;

-- name: UseTOTPStep :execrows
update account set totp_step = $2 where id = $1 and totp_step < $2;

-- name: InsertRoleGrant :exec
insert into role_grant (id, account_id, role, unit_id, granted_by, granted_at) values ($1, $2, $3, $4, $5, $6);

-- name: DeleteRoleGrant :execrows
delete from role_grant where id = $1 and account_id = $2;

-- name: RoleGrants :many
select * from role_grant where account_id = $1 order by role, unit_id;

-- name: RoleHolders :many
select a.id, a.employee_id, a.username, a.display_name, a.email, a.locale, g.role, g.unit_id from role_grant g
join account a on a.id = g.account_id where g.role = $1 and a.state = 'active' order by a.display_name;

-- name: InsertPasskey :exec
insert into passkey (id, account_id, credential_id, data, name, created_at, used_at) values ($1, $2, $3, $4, $5, $6, 0);

-- name: ListPasskeys :many
select * from passkey where account_id = $1 order by created_at;

-- name: GetPasskey :one
select * from passkey where credential_id = $1;

-- name: UsePasskey :exec
update passkey set data = $2, used_at = $3 where id = $1;

-- name: DeletePasskey :execrows
delete from passkey where id = $1 and account_id = $2;

-- name: InsertRecoveryCode :exec
insert into recovery_code (account_id, code_hash, used_at) values ($1, $2, 0);

-- name: DeleteRecoveryCodes :exec
delete from recovery_code where account_id = $1;

-- name: UseRecoveryCode :execrows
update recovery_code set used_at = $3 where account_id = $1 and code_hash = $2 and used_at = 0;

-- name: CountRecoveryCodes :one
select count(*) from recovery_code where account_id = $1 and used_at = 0;

-- name: InsertSession :exec
insert into session (id, token_hash, account_id, state, factor, address, user_agent, created_at, seen_at, expires_at, revoked_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, 0);

-- name: TouchSession :exec
update session set seen_at = $2 where id = $1;

-- name: RevokeSession :execrows
update session set revoked_at = $3 where id = $1 and account_id = $2 and revoked_at = 0;

-- name: RevokeSessions :execrows
update session set revoked_at = $3 where account_id = $1 and id <> $2 and revoked_at = 0;

-- name: ListSessions :many
select * from session where account_id = $1 and revoked_at = 0 and expires_at > $2 order by seen_at desc;

-- name: DeleteOldSessions :exec
delete from session where expires_at < $1;

-- name: InsertInvitation :exec
insert into invitation (token_hash, account_id, purpose, created_at, expires_at, used_at, superseded_at)
values ($1, $2, $3, $4, $5, 0, 0);

-- name: SupersedeInvitations :exec
update invitation set superseded_at = $3 where account_id = $1 and purpose = $2 and used_at = 0 and superseded_at = 0;

-- name: GetInvitation :one
select * from invitation where token_hash = $1;

-- name: UseInvitation :execrows
update invitation set used_at = sqlc.arg(now)
where token_hash = sqlc.arg(token_hash) and used_at = 0 and superseded_at = 0 and expires_at > sqlc.arg(now);

-- name: CountInWindow :one
insert into limiter (key, count, window_end) values (sqlc.arg(key), 1, sqlc.arg(new_end))
on conflict (key) do update set
    count = case when limiter.window_end <= sqlc.arg(now) then 1 else limiter.count + 1 end,
    window_end = case when limiter.window_end <= sqlc.arg(now) then sqlc.arg(new_end) else limiter.window_end end
returning count, window_end;

-- name: UnreserveLogin :exec
-- The password was right and the second factor is still to come: the attempt
-- does not count, and the lock that it set in advance goes. A lock that another
-- attempt set stays.
update account set failed = failed - 1,
    locked_until = case when locked_until = sqlc.arg(own_lock) then 0 else locked_until end
where id = sqlc.arg(id) and failed > 0;

-- name: RehashPassword :execrows
update account set password_hash = sqlc.arg(new_hash) where id = sqlc.arg(id) and password_hash = sqlc.arg(old_hash);

-- name: SessionViewer :one
select sqlc.embed(session), sqlc.embed(account),
    cast(coalesce(employee.time_zone, '') as text) as time_zone,
    cast(coalesce(unit.name, '') as text) as unit_name,
    coalesce(employee.active, true) as employed
from session
join account on account.id = session.account_id
left join employee on employee.id = account.employee_id
left join unit on unit.id = employee.unit_id
where session.token_hash = $1 and session.revoked_at = 0;

-- name: AccountEmployed :one
select coalesce(employee.active, true) as employed from account
left join employee on employee.id = account.employee_id where account.id = $1;

-- name: SupersedeAllInvitations :exec
update invitation set superseded_at = $2 where account_id = $1 and used_at = 0 and superseded_at = 0;

-- name: LiveInvitations :many
select purpose, created_at, expires_at from invitation
where account_id = $1 and used_at = 0 and superseded_at = 0 and expires_at > $2 order by created_at;

-- name: DeletePasskeys :exec
delete from passkey where account_id = $1;

-- name: CountPasskeys :one
select count(*) from passkey where account_id = $1;

-- name: GetRoleGrant :one
select * from role_grant where id = $1 and account_id = $2;

-- name: RoleGrantsWithUnits :many
select g.id, g.role, cast(coalesce(u.id, '') as text) as unit_id, cast(coalesce(u.code, '') as text) as unit_code,
    cast(coalesce(u.name, '') as text) as unit_name, g.granted_by, g.granted_at
from role_grant g left join unit u on u.id = g.unit_id where g.account_id = $1 order by g.role, u.code;

-- name: CountActiveAdministrators :one
select count(*) from role_grant g join account a on a.id = g.account_id
where g.role = 'administrator' and a.state <> 'disabled' and a.id <> $1;

-- name: Administrators :many
select a.* from role_grant g join account a on a.id = g.account_id
where g.role = 'administrator' order by a.created_at, a.id;

-- name: SearchAccounts :many
-- The account's user name or a word of its name begins with the text.
select a.* from account a
where (a.username like cast(sqlc.arg(username) as text) escape '\'
    or lower(a.display_name) like cast(sqlc.arg(beginning) as text) escape '\'
    or lower(a.display_name) like cast(sqlc.arg(within) as text) escape '\')
    and a.username > sqlc.arg(after)
order by a.username limit sqlc.arg(max_rows);

-- name: DeleteOldLimits :exec
delete from limiter where window_end < $1;
