-- Incidents: many certificates revoked at once, which one administrator asks
-- for and another one decides.

-- +goose Up
create table incident (
    id           text primary key,
    reference    text not null unique,
    state        text not null check (state in ('waiting', 'declined', 'running', 'done')),
    reason_code  text not null,
    reason_text  text not null,            -- for the owners and the record
    scope        text not null,            -- JSON: by what the certificates were chosen
    total        bigint not null,
    requested_by text not null references account (id),
    requested_at bigint not null,
    decided_by   text references account (id),
    decided_at   bigint not null,
    finished_at  bigint not null,
    check (decided_by is null or decided_by <> requested_by)
);
create index incident_queue on incident (state, requested_at);

-- incident_certificate lists what an incident concerns, as of its request: what
-- is decided is what was shown.
create table incident_certificate (
    incident_id     text not null references incident (id),
    serial          text not null references certificate (serial),
    registration_id text not null references registration (id),
    state           text not null check (state in ('waiting', 'revoked', 'already')),
    done_at         bigint not null,
    primary key (incident_id, serial)
);
create index incident_certificate_state on incident_certificate (incident_id, state, serial);

-- +goose Down
drop table incident_certificate;
drop table incident;
