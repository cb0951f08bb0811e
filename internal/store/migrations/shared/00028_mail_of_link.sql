-- The letter of a link is looked for by registration and kind. With an index by
-- registration alone SQLite preferred the one by state and looked through every
-- letter that waits, which a mail server that is down makes many.

-- +goose Up

drop index mail_registration;
create index mail_registration on mail (registration_id, kind);

-- +goose Down

drop index mail_registration;
create index mail_registration on mail (registration_id, created_at);
