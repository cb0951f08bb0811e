-- Documents that several people sign.

-- +goose Up

-- workflow is a document on its way through the hands of several signers. Who
-- prepares it need not be one of them.
create table workflow (
    id          text primary key,
    document_id text not null unique references document (id),
    owner_id    text not null references employee (id),
    ordered     boolean not null,          -- one after the other; otherwise in any order
    note        text not null,             -- for those who sign
    state       text not null check (state in ('open', 'done', 'rejected', 'cancelled')),
    created_at  bigint not null,
    ended_at    bigint not null
);
create index workflow_owner on workflow (owner_id, created_at);

-- workflow_step is one signature that is wanted: of a letter (sign) or initials
-- of those who agree with it (paraf), which are invisible.
create table workflow_step (
    workflow_id text not null references workflow (id),
    position    bigint not null,
    employee_id text not null references employee (id),
    role        text not null check (role in ('sign', 'paraf')),
    anchor      text not null,             -- marker text for the visible signature; empty: the signer says where
    state       text not null check (state in ('waiting', 'done')),
    done_at     bigint not null,
    version     bigint not null,           -- of the document that holds it
    reminded_at bigint not null,
    primary key (workflow_id, position),
    unique (workflow_id, employee_id)
);
create index workflow_step_waiting on workflow_step (employee_id, workflow_id) where state = 'waiting';

-- workflow_event is what happened, for everybody who takes part.
create table workflow_event (
    workflow_id text not null references workflow (id),
    seq         bigint not null,
    at          bigint not null,
    employee_id text not null references employee (id),
    action      text not null check (action in ('open', 'sign', 'paraf', 'reject', 'cancel', 'remind', 'done')),
    reason      text not null,
    primary key (workflow_id, seq)
);

-- +goose Down
select 1;
