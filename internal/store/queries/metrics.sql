-- name: TallyMails :many
select state, count(*) as n from mail group by state;

-- name: TallyRegistrations :many
select status, count(*) as n from registration group by status;

-- name: TallyCertificates :many
select issuer, cast(sum(case when state = 'issued' then 1 else 0 end) as bigint) as issued,
    cast(sum(case when revoked_at > 0 then 1 else 0 end) as bigint) as revoked
from certificate group by issuer;

-- name: TallySignatures :many
select state, count(*) as n from signature group by state;

-- name: TallySealUses :many
select state, count(*) as n from seal_use group by state;

-- name: CountOpenActivations :one
select count(*) from activation where ended_at = 0 and expires_at > $1;

-- name: CountOpenWindows :one
select count(*) from signing_window where ended_at = 0 and expires_at > $1;

-- name: TallyDeliveries :many
select state, count(*) as n from webhook_delivery group by state;
