-- name: InsertMail :exec
insert into mail (id, kind, locale, recipient, subject, params_sealed, employee_id, registration_id, state, attempts,
    next_try_at, reply, message_id, resent_as, created_at, finished_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, 'queued', 0, $9, '', $10, '', $9, 0);

-- name: GetMail :one
select * from mail where id = $1;

-- name: LockMail :one
update mail set attempts = attempts where id = $1 returning *;

-- name: SetMailNextTry :exec
update mail set next_try_at = $2 where id = $1;

-- name: StartMailAttempt :exec
insert into mail_attempt (mail_id, number, started_at, finished_at, outcome, reply) values ($1, $2, $3, 0, '', '');

-- name: CountMailAttempt :one
update mail set attempts = attempts + 1, next_try_at = 0 where id = $1 and state = 'queued' returning *;

-- name: FinishMailAttempt :exec
update mail_attempt set finished_at = $3, outcome = $4, reply = $5 where mail_id = $1 and number = $2;

-- name: FinishMail :exec
update mail set state = $2, reply = $3, finished_at = $4, params_sealed = $5, next_try_at = 0 where id = $1;

-- name: PostponeMail :exec
update mail set reply = $2, next_try_at = $3 where id = $1;

-- name: CancelMailsOfLink :exec
update mail set state = 'cancelled', params_sealed = '', finished_at = $3 where registration_id = $1 and kind = $2 and state = 'queued';

-- name: SetMailResent :exec
update mail set resent_as = $2 where id = $1;

-- name: MailsOfEmployee :many
select * from mail where employee_id = $1 order by created_at desc limit 100;

-- name: MailsOfRegistration :many
select * from mail where registration_id = $1 order by created_at desc, id limit 100;

-- name: MailAttempts :many
select * from mail_attempt where mail_id = $1 order by number;

-- name: ListMails :many
select * from mail where state = sqlc.arg(state)
    and (created_at < sqlc.arg(before_at) or (created_at = sqlc.arg(before_at) and id < sqlc.arg(before_id)))
order by created_at desc, id desc limit sqlc.arg(max_rows);

-- name: CountMails :many
select state, count(*) as mails from mail group by state;

-- name: DueMails :many
select id from mail where state = 'queued' and next_try_at > 0 and next_try_at < $1 order by next_try_at limit 500;
