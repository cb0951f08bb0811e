-- name: InsertWebhookEndpoint :exec
insert into webhook_endpoint (id, client_id, url, events, state, reason, secret_sealed, previous_sealed, previous_until, failing_since, delivered_at, created_at, created_by, updated_at)
values ($1, $2, $3, $4, 'enabled', '', $5, $6, 0, 0, 0, $7, $8, $7);

-- name: GetWebhookEndpoint :one
select * from webhook_endpoint where id = $1;

-- name: WebhookEndpointsOf :many
select * from webhook_endpoint where client_id = $1 and state <> 'removed' order by created_at, id;

-- name: CountWebhookEndpoints :one
select count(*) from webhook_endpoint where client_id = $1 and state <> 'removed';

-- name: WebhookListeners :many
select e.id, e.client_id, e.events, c.name, c.scopes, c.sandbox, c.unit_id from webhook_endpoint e
join api_client c on c.id = e.client_id
where e.state in ('enabled', 'failing') and c.enabled order by e.created_at, e.id;

-- name: ChangeWebhookEndpoint :execrows
update webhook_endpoint set url = $3, events = $4, updated_at = $5 where id = $1 and client_id = $2 and state <> 'removed';

-- name: RotateWebhookSecret :execrows
update webhook_endpoint set previous_sealed = $3, previous_until = $4, secret_sealed = $5, updated_at = $6
where id = $1 and client_id = $2 and state <> 'removed';

-- name: EnableWebhookEndpoint :execrows
update webhook_endpoint set state = 'enabled', reason = '', failing_since = 0, updated_at = $3 where id = $1 and client_id = $2 and state <> 'removed';

-- name: DisableWebhookEndpoint :execrows
update webhook_endpoint set state = 'disabled', reason = $2, updated_at = $3 where id = $1 and state in ('enabled', 'failing');

-- name: FailWebhookEndpoint :execrows
update webhook_endpoint set state = 'failing', failing_since = $2, updated_at = $2 where id = $1 and state = 'enabled';

-- name: RemoveWebhookEndpoint :execrows
update webhook_endpoint set state = 'removed', secret_sealed = $3, previous_sealed = $3, updated_at = $4 where id = $1 and client_id = $2 and state <> 'removed';

-- name: WebhookEndpointAnswered :exec
update webhook_endpoint set state = 'enabled', failing_since = 0, delivered_at = sqlc.arg(now)
where id = $1 and (state = 'failing' or state = 'enabled' and delivered_at < sqlc.arg(before));

-- name: InsertWebhookEvent :exec
insert into webhook_event (id, type, body, created_at) values ($1, $2, $3, $4);

-- name: GetWebhookEvent :one
select * from webhook_event where id = $1;

-- name: InsertWebhookDelivery :exec
insert into webhook_delivery (id, event_id, endpoint_id, type, state, attempts, tries, outcome, status, queued_at, next_try_at, created_at, finished_at)
values ($1, $2, $3, $4, 'queued', 0, 0, '', 0, $5, $5, $5, 0);

-- name: GetWebhookDelivery :one
select * from webhook_delivery where id = $1;

-- name: ClaimWebhookDelivery :one
update webhook_delivery set attempts = attempts + 1, tries = tries + 1, next_try_at = sqlc.arg(lease)
where id = $1 and state = 'queued' and next_try_at <= sqlc.arg(now) returning *;

-- name: StartWebhookAttempt :exec
insert into webhook_attempt (delivery_id, number, started_at, finished_at, outcome, status, reply, took) values ($1, $2, $3, 0, '', 0, '', 0);

-- name: FinishWebhookAttempt :exec
update webhook_attempt set finished_at = $3, outcome = $4, status = $5, reply = $6, took = $7 where delivery_id = $1 and number = $2;

-- name: WebhookAttempts :many
select * from webhook_attempt where delivery_id = $1 order by number;

-- name: FinishWebhookDelivery :execrows
update webhook_delivery set state = $2, outcome = $3, status = $4, finished_at = $5, next_try_at = 0 where id = $1 and state = 'queued';

-- name: PostponeWebhookDelivery :execrows
update webhook_delivery set outcome = $2, status = $3, next_try_at = $4 where id = $1 and state = 'queued';

-- name: DeferWebhookDelivery :execrows
update webhook_delivery set next_try_at = $2 where id = $1 and state = 'queued';

-- name: ListWebhookDeliveries :many
select * from webhook_delivery where endpoint_id = $1
    and (cast(sqlc.arg(state) as text) = '' or state = sqlc.arg(state))
    and (cast(sqlc.arg(type) as text) = '' or type = sqlc.arg(type))
    and (created_at < sqlc.arg(before_at) or (created_at = sqlc.arg(before_at) and id < sqlc.arg(before_id)))
order by created_at desc, id desc limit sqlc.arg(max_rows);

-- name: CountWebhookDeliveries :many
select state, count(*) as deliveries from webhook_delivery where endpoint_id = $1 group by state;

-- name: ReplayWebhookDelivery :execrows
update webhook_delivery set state = 'queued', tries = 0, queued_at = sqlc.arg(now), next_try_at = sqlc.arg(now), finished_at = 0
where id = $1 and endpoint_id = $2 and state <> 'queued';

-- name: WebhookDeliveriesSince :many
select id, created_at from webhook_delivery where endpoint_id = $1 and state <> 'queued' and queued_at <= sqlc.arg(asked)
    and (created_at > sqlc.arg(since) or (created_at = sqlc.arg(since) and id > sqlc.arg(after)))
order by created_at, id limit 500;

-- name: OverdueWebhookDeliveries :many
select id from webhook_delivery where state = 'queued' and next_try_at < $1 order by next_try_at limit 500;

-- name: DropOldWebhookAttempts :exec
delete from webhook_attempt where webhook_attempt.delivery_id in (
    select w.id from webhook_delivery w where w.created_at < $1 and w.state <> 'queued' order by w.created_at, w.id limit 500);

-- name: DropOldWebhookDeliveries :execrows
delete from webhook_delivery where webhook_delivery.id in (
    select w.id from webhook_delivery w where w.created_at < $1 and w.state <> 'queued' order by w.created_at, w.id limit 500);

-- name: DropOldWebhookEvents :exec
delete from webhook_event where webhook_event.created_at < $1
    and not exists (select 1 from webhook_delivery d where d.event_id = webhook_event.id);

-- name: FirstActorOfRegistration :one
select actor_id from history where registration_id = $1 and seq = 1;
