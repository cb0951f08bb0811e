-- What an application may do beyond calling (OAuth 2 in the browser, activation
-- windows), what people granted to applications, and the windows that they opened.

-- +goose Up

-- api_client_oauth belongs to an application of api_client; without a row it has
-- neither.
create table api_client_oauth (
    client_id   text primary key references api_client (id),
    redirects   text not null,             -- redirect URIs with blanks between; a request has to name one exactly
    window_life bigint not null            -- how long a subscriber may open a window for it, microseconds; 0: not at all
);

-- oauth_grant is what somebody agreed to on the consent page.
create table oauth_grant (
    id            text primary key,
    client_id     text not null references api_client (id),
    account_id    text not null references account (id),
    employee_id   text not null references employee (id),
    scope         text not null check (scope in ('service', 'credential')),
    credential_id text not null,           -- of scope credential; else empty
    activation_id text not null,           -- of scope credential; else empty
    created_at    bigint not null,
    ended_at      bigint not null          -- 0 while it counts
);
create index oauth_grant_employee on oauth_grant (employee_id, created_at);

-- oauth_secret is something that whoever shows it may use: only its SHA-256 is here.
create table oauth_secret (
    hash       bytea primary key,
    kind       text not null check (kind in ('request', 'code', 'access', 'refresh')),
    client_id  text not null references api_client (id),
    grant_id   text references oauth_grant (id), -- null: the application itself
    data       text not null,              -- JSON: of a request its parameters, of a code what its exchange has to show
    created_at bigint not null,
    expires_at bigint not null,
    used_at    bigint not null             -- of a code, a request or a refresh token; of an access token when it was revoked
);
create index oauth_secret_expires on oauth_secret (expires_at);
create index oauth_secret_grant on oauth_secret (grant_id) where grant_id is not null;

-- signing_window lets one application sign for a subscriber without the passphrase in
-- every call. The opened key is only in the memory of the process.
create table signing_window (
    id            text primary key,
    employee_id   text not null references employee (id),
    account_id    text not null,
    client_id     text not null references api_client (id),
    credential_id text not null references credential (id),
    generation    bigint not null,         -- of the credential when it was opened
    process       text not null,           -- that holds the key
    max_uses      bigint not null,         -- signatures
    uses          bigint not null,         -- of them authorised
    digests       text not null,           -- hexadecimal with blanks between: the only things to sign; empty: any
    created_at    bigint not null,
    expires_at    bigint not null,
    ended_at      bigint not null,
    reason        text not null check (reason in ('', 'revoked', 'expired', 'used_up', 'stopped', 'changed', 'lost', 'guessed'))
);
create index signing_window_employee on signing_window (employee_id, created_at);
create index signing_window_open on signing_window (client_id, employee_id) where ended_at = 0;

-- +goose Down
select 1;
