-- Applications that are told what happens: where they listen, what is sent there
-- and what became of it.

-- +goose Up

-- webhook_endpoint is an address of an application that wants to be told.
create table webhook_endpoint (
    id              text primary key,
    client_id       text not null references api_client (id),
    url             text not null,
    events          text not null,         -- types of events, with blanks between
    state           text not null check (state in ('enabled', 'failing', 'disabled', 'removed')),
    reason          text not null,         -- why it is disabled: administrator, application, gone, failing
    secret_sealed   bytea not null,
    previous_sealed bytea not null,        -- the secret before, empty without one
    previous_until  bigint not null,       -- until when both sign
    failing_since   bigint not null,
    delivered_at    bigint not null,       -- about when it took something last
    created_at      bigint not null,
    created_by      text not null,
    updated_at      bigint not null
);
create index webhook_endpoint_client on webhook_endpoint (client_id, created_at);

-- webhook_event is something that happened and that somebody listened for. Its
-- body is what is sent: identifiers, no personal data.
create table webhook_event (
    id         text primary key,
    type       text not null,
    body       text not null,
    created_at bigint not null
);
create index webhook_event_created on webhook_event (created_at);

-- webhook_delivery is an event on its way to one endpoint.
create table webhook_delivery (
    id          text primary key,
    event_id    text not null references webhook_event (id),
    endpoint_id text not null references webhook_endpoint (id),
    type        text not null,             -- of the event
    state       text not null check (state in ('queued', 'delivered', 'failed', 'cancelled')),
    attempts    bigint not null,           -- in all
    tries       bigint not null,           -- since it was queued (again)
    outcome     text not null,             -- of the last attempt
    status      bigint not null,           -- HTTP status of the last answer; 0 without one
    queued_at   bigint not null,           -- it, or its replay
    next_try_at bigint not null,
    created_at  bigint not null,
    finished_at bigint not null
);
create index webhook_delivery_endpoint on webhook_delivery (endpoint_id, created_at, id);
create index webhook_delivery_created on webhook_delivery (created_at);
create index webhook_delivery_event on webhook_delivery (event_id);
create index webhook_delivery_due on webhook_delivery (next_try_at) where state = 'queued';

-- webhook_attempt is one request. Its row is there before the request; one that
-- has no end was cut off by the end of the program.
create table webhook_attempt (
    delivery_id text not null references webhook_delivery (id),
    number      bigint not null,
    started_at  bigint not null,
    finished_at bigint not null,
    outcome     text not null,             -- delivered, refused, or why there was no answer
    status      bigint not null,
    reply       text not null,             -- the beginning of the answer, or what went wrong
    took        bigint not null,           -- microseconds
    primary key (delivery_id, number)
);

-- +goose Down
select 1;
