-- One schema for SQLite and PostgreSQL. What differs (append-only triggers)
-- stands in the folders beside this one, under numbers of its own.
--
-- Identifiers are text of 26 characters (package ident). Times are bigint,
-- microseconds since 1970 in UTC, 0 for "never" (package clock). Columns that
-- end in _sealed hold bytes of keys.Vault.Seal; their plain text is nowhere.

-- +goose Up

create table unit (
    id         text primary key,
    parent_id  text references unit (id),
    code       text not null unique,
    name       text not null,
    created_at bigint not null,
    updated_at bigint not null
);
create index unit_parent on unit (parent_id);

-- unit_scope has a row for every pair of a unit and a unit at or below it.
create table unit_scope (
    ancestor_id text not null references unit (id),
    unit_id     text not null references unit (id),
    depth       bigint not null,
    primary key (ancestor_id, unit_id)
);
create index unit_scope_unit on unit_scope (unit_id);

create table employee (
    id          text primary key,
    nip         text not null unique,
    nik_sealed  bytea not null,
    nik_index   bytea not null,            -- MAC of the NIK, empty when there is none; finds duplicates
    name        text not null,
    position    text not null,             -- Jabatan
    grade       text not null,             -- Gol/Pangkat
    unit_id     text not null references unit (id),
    email       text not null,
    phone       text not null,
    birth_place text not null,
    birth_date  text not null,             -- YYYY-MM-DD or empty
    sex         text not null check (sex in ('M', 'F', '')),
    time_zone   text not null check (time_zone in ('WIB', 'WITA', 'WIT')),
    locale      text not null check (locale in ('id', 'en')),
    active      boolean not null,
    version     bigint not null,           -- grows with every change
    created_at  bigint not null,
    updated_at  bigint not null
);
create index employee_unit on employee (unit_id, name, id);
create index employee_nik on employee (nik_index);
create index employee_email on employee (email);

-- search_term finds employees by the beginning of a word. The term is bytea
-- because both engines compare those byte by byte, whatever the collation.
create table search_term (
    term        bytea not null,
    employee_id text not null references employee (id),
    primary key (term, employee_id)
);
create index search_term_employee on search_term (employee_id);

create table evidence (
    id            text primary key,        -- also the name of its blob; the thumbnail's is made of it
    employee_id   text not null references employee (id),
    kind          text not null check (kind in ('id_card', 'recommendation', 'specimen')),
    state         text not null check (state in ('proposed', 'current', 'rejected', 'replaced', 'erased')),
    media_type    text not null,
    width         bigint not null,
    height        bigint not null,
    pages         bigint not null,
    size          bigint not null,         -- bytes of the plain file as stored
    sha256        bytea not null,          -- of the plain file as stored
    upload_sha256 bytea not null,          -- of the bytes that were uploaded; finds duplicates
    hints         text not null,           -- JSON
    key_sealed    bytea not null,          -- key of the file; empty once erased
    thumb_sealed  bytea not null,          -- key of the thumbnail; empty when there is none
    uploaded_by   text not null,           -- account
    uploaded_at   bigint not null
);
create unique index evidence_current on evidence (employee_id, kind) where state = 'current';
create index evidence_employee on evidence (employee_id, uploaded_at);
create index evidence_upload on evidence (upload_sha256);

-- A scan that somebody looked at; the subject can see it (UU PDP art. 32).
create table evidence_view (
    id          text primary key,
    evidence_id text not null references evidence (id),
    owner_id    text not null references employee (id),
    account_id  text not null,
    role        text not null,
    purpose     text not null,
    viewed_at   bigint not null
);
create index evidence_view_owner on evidence_view (owner_id, viewed_at);

create table correction (
    id           text primary key,
    reference    text not null unique,
    employee_id  text not null references employee (id),
    state        text not null check (state in ('open', 'decided', 'withdrawn')),
    submitted_at bigint not null,
    claimed_by   text references employee (id),
    claimed_at   bigint not null,
    decided_by   text references employee (id),
    decided_at   bigint not null,
    version      bigint not null,
    check (claimed_by is null or claimed_by <> employee_id),
    check (decided_by is null or decided_by <> employee_id)
);
create unique index correction_open on correction (employee_id) where state = 'open';
create index correction_queue on correction (state, submitted_at, id);
create index correction_employee on correction (employee_id, submitted_at);

create table correction_item (
    id            text primary key,
    correction_id text not null references correction (id),
    field         text not null,
    before_sealed bytea not null,
    after_sealed  bytea not null,
    evidence_id   text references evidence (id),
    state         text not null check (state in ('waiting', 'accepted', 'rejected', 'withdrawn')),
    reason_code   text not null,
    reason_text   text not null,
    decided_at    bigint not null,
    unique (correction_id, field)
);

create table account (
    id            text primary key,
    employee_id   text unique references employee (id),
    username      text not null unique,    -- lower case
    display_name  text not null,
    email         text not null,
    password_hash text not null,           -- PHC string of argon2id, empty until set
    state         text not null check (state in ('invited', 'active', 'disabled')),
    totp_sealed   bytea not null,
    totp_step     bigint not null,         -- last time step accepted; a code works once
    failed        bigint not null,         -- wrong passwords or codes in a row
    locked_until  bigint not null,
    locale        text not null,
    last_login_at bigint not null,
    created_at    bigint not null,
    updated_at    bigint not null
);

create table role_grant (
    id         text primary key,
    account_id text not null references account (id),
    role       text not null check (role in ('hr_officer', 'registration_officer', 'service_desk', 'auditor', 'administrator')),
    unit_id    text references unit (id),  -- null: everywhere
    granted_by text not null,
    granted_at bigint not null
);
create unique index role_grant_unit on role_grant (account_id, role, unit_id) where unit_id is not null;
create unique index role_grant_everywhere on role_grant (account_id, role) where unit_id is null;

create table passkey (
    id            text primary key,
    account_id    text not null references account (id),
    credential_id bytea not null unique,
    data          text not null,           -- JSON of the WebAuthn credential
    name          text not null,
    created_at    bigint not null,
    used_at       bigint not null
);
create index passkey_account on passkey (account_id);

create table recovery_code (
    account_id text not null references account (id),
    code_hash  bytea not null,
    used_at    bigint not null,
    primary key (account_id, code_hash)
);

create table session (
    id          text primary key,
    token_hash  bytea not null unique,
    account_id  text not null references account (id),
    state       text not null check (state in ('half', 'full')), -- half: the second factor is still to come
    factor      text not null,             -- '', 'totp', 'passkey', 'recovery'
    address     text not null,
    user_agent  text not null,
    created_at  bigint not null,
    seen_at     bigint not null,
    expires_at  bigint not null,
    revoked_at  bigint not null
);
create index session_account on session (account_id, created_at);
create index session_expiry on session (expires_at);

-- invitation is a one-time link that sets the password of an account.
create table invitation (
    token_hash    bytea primary key,
    account_id    text not null references account (id),
    purpose       text not null check (purpose in ('activate', 'portal', 'password')),
    created_at    bigint not null,
    expires_at    bigint not null,
    used_at       bigint not null,
    superseded_at bigint not null
);
create unique index invitation_live on invitation (account_id, purpose) where used_at = 0 and superseded_at = 0;

create table registration (
    id            text primary key,
    reference     text not null unique,
    employee_id   text not null references employee (id),
    unit_id       text not null references unit (id),
    kind          text not null check (kind in ('initial', 'reset', 'renewal')),
    replaces_id   text references registration (id),
    status        text not null check (status in ('New', 'OnSetPassphrase', 'Enroll', 'Issuing', 'Issue',
                                                  'Returned', 'Rejected', 'Cancelled', 'Revoked', 'Expired')),
    status_since  bigint not null,
    submitted_at  bigint not null,
    claimed_by    text references employee (id),
    claimed_at    bigint not null,
    snapshot      bytea not null,          -- sealed canonical JSON of what the officers judge
    snapshot_hash bytea not null,
    verified_by   text references employee (id),
    approved_by   text references employee (id),
    version       bigint not null,
    updated_at    bigint not null,
    -- Officer 1, officer 2 and the applicant are three different people.
    check (claimed_by is null or claimed_by <> employee_id),
    check (verified_by is null or verified_by <> employee_id),
    check (approved_by is null or approved_by <> employee_id),
    check (approved_by is null or (verified_by is not null and approved_by <> verified_by))
);
create unique index registration_open on registration (employee_id)
    where status in ('New', 'OnSetPassphrase', 'Enroll', 'Issuing', 'Returned');
create unique index registration_issued on registration (employee_id) where status = 'Issue';
create unique index registration_replaces on registration (replaces_id)
    where replaces_id is not null and status not in ('Cancelled', 'Rejected');
create index registration_employee on registration (employee_id, submitted_at);
create index registration_claim on registration (claimed_by, status, status_since);

-- registration_scope is the officers' queue: a row for every unit at or above
-- the applicant's, so that a queue of any unit is one range of one index.
create table registration_scope (
    ancestor_id     text not null references unit (id),
    registration_id text not null references registration (id),
    status          text not null,
    status_since    bigint not null,
    primary key (ancestor_id, registration_id)
);
create index registration_scope_queue on registration_scope (ancestor_id, status, status_since, registration_id);
create index registration_scope_registration on registration_scope (registration_id);

create table review (
    id              text primary key,
    registration_id text not null references registration (id),
    stage           bigint not null check (stage in (1, 2)),
    officer_id      text not null references employee (id),
    applicant_id    text not null references employee (id),
    snapshot_hash   bytea not null,
    verdict         text not null check (verdict in ('accepted', 'returned', 'rejected')),
    note            text not null,
    created_at      bigint not null,
    voided_at       bigint not null,
    check (officer_id <> applicant_id)
);
-- One person gives at most one of the two approvals that stand.
create unique index review_person on review (registration_id, officer_id) where verdict = 'accepted' and voided_at = 0;
create unique index review_stage on review (registration_id, stage) where verdict = 'accepted' and voided_at = 0;
create index review_registration on review (registration_id, created_at);

create table review_field (
    review_id   text not null references review (id),
    field       text not null,
    accepted    boolean not null,
    reason_code text not null,
    reason_text text not null,
    primary key (review_id, field)
);

-- enrol_link is the link that sets the passphrase; only its hash is kept.
create table enrol_link (
    id              text primary key,
    registration_id text not null references registration (id),
    token_hash      bytea not null unique,
    created_at      bigint not null,
    expires_at      bigint not null,
    used_at         bigint not null,
    superseded_at   bigint not null,
    warned_at       bigint not null
);
create unique index enrol_link_live on enrol_link (registration_id) where used_at = 0 and superseded_at = 0;
create index enrol_link_expiry on enrol_link (expires_at) where used_at = 0 and superseded_at = 0;

-- enrol_session carries a subscriber from the passphrase to the agreement.
create table enrol_session (
    token_hash      bytea primary key,
    registration_id text not null references registration (id),
    created_at      bigint not null,
    expires_at      bigint not null
);

-- agreement_text keeps every text that somebody accepted, word for word.
create table agreement_text (
    hash       bytea primary key,
    kind       text not null check (kind in ('agreement', 'privacy')),
    version    text not null,
    locale     text not null,
    body       text not null,
    created_at bigint not null
);

create table acceptance (
    id              text primary key,
    registration_id text not null references registration (id),
    employee_id     text not null references employee (id),
    kind            text not null check (kind in ('agreement', 'privacy')),
    text_hash       bytea not null references agreement_text (hash),
    accepted_at     bigint not null,
    address         text not null,
    user_agent      text not null
);
create index acceptance_registration on acceptance (registration_id, accepted_at);

create table credential (
    id               text primary key,
    employee_id      text not null references employee (id),
    registration_id  text not null references registration (id),
    state            text not null check (state in ('pending', 'active', 'revoked', 'discarded')),
    generation       bigint not null,      -- grows with every change of the passphrase
    algorithm        text not null,
    salt             bytea not null,
    params_version   bigint not null,
    pepper_version   bigint not null,
    spki             bytea not null,
    csr              bytea not null,
    box              bytea not null,       -- the sealed private key; empty once erased
    row_mac          bytea not null,
    attempts         text not null,        -- JSON of credential.Attempts
    created_at       bigint not null,
    updated_at       bigint not null
);
create unique index credential_live on credential (registration_id) where state in ('pending', 'active');
create index credential_employee on credential (employee_id, created_at);

create table certificate (
    serial            text primary key,    -- lower-case hexadecimal
    registration_id   text not null unique references registration (id),
    credential_id     text not null unique references credential (id),
    employee_id       text not null references employee (id),
    issuer            text not null,       -- name of the issuing CA's key
    profile           text not null,
    state             text not null check (state in ('intended', 'issued', 'abandoned')),
    tbs               bytea not null,      -- to-be-signed bytes, recorded before the signature
    der               bytea not null,      -- empty until signed
    spki_hash         bytea not null unique,
    subject           text not null,
    not_before        bigint not null,
    not_after         bigint not null,
    intended_at       bigint not null,
    issued_at         bigint not null,
    revoked_at        bigint not null,
    revocation_reason bigint not null,     -- RFC 5280 5.3.1; meaningful when revoked_at > 0
    warned_days       bigint not null      -- last notice of expiry sent: 60, 30, 7; 0 for none
);
create index certificate_employee on certificate (employee_id, issued_at);
create index certificate_revoked on certificate (issuer, revoked_at) where revoked_at > 0;
create index certificate_expiry on certificate (not_after) where revoked_at = 0;

create table crl (
    issuer       text not null,
    number       bigint not null,
    state        text not null check (state in ('reserved', 'published')),
    this_update  bigint not null,
    next_update  bigint not null,
    der          bytea not null,
    primary key (issuer, number)
);

create table blocked_key (
    spki_hash  bytea primary key,
    reason     text not null,
    created_at bigint not null
);

-- history is append-only: one row for every transition of a registration,
-- chained by hash from the first to the last.
create table history (
    registration_id text not null references registration (id),
    seq             bigint not null,
    at              bigint not null,
    action          text not null,
    from_status     text not null,
    to_status       text not null,
    actor_id        text not null,         -- account, or system:ROLE
    actor_role      text not null,
    reason_code     text not null,
    reason_text     text not null,
    detail          text not null,         -- JSON
    evidence_hash   bytea not null,
    prev_hash       bytea not null,
    hash            bytea not null unique,
    primary key (registration_id, seq)
);

-- stage_wait says how long registrations stood in a status, for the usual wait
-- that the timeline shows.
create table stage_wait (
    registration_id text not null references registration (id),
    status          text not null,
    ended_at        bigint not null,
    micros          bigint not null,
    primary key (registration_id, status, ended_at)
);
create index stage_wait_recent on stage_wait (status, ended_at);

-- audit is append-only and chained: everything that somebody did.
create table audit (
    seq         bigint primary key,
    at          bigint not null,
    actor_id    text not null,
    actor_role  text not null,
    action      text not null,
    object_kind text not null,
    object_id   text not null,
    detail      text not null,             -- JSON without personal data
    prev_hash   bytea not null,
    hash        bytea not null
);
create index audit_object on audit (object_kind, object_id, seq);
create index audit_actor on audit (actor_id, seq);

create table audit_head (
    id   bigint primary key check (id = 1),
    size bigint not null,
    hash bytea not null
);

create table mail (
    id              text primary key,
    kind            text not null,
    locale          text not null,
    recipient       text not null,
    subject         text not null,
    params_sealed   bytea not null,        -- what the text is made of; empty once sent
    employee_id     text references employee (id),
    registration_id text references registration (id),
    state           text not null check (state in ('queued', 'sent', 'refused', 'given_up', 'cancelled')),
    attempts        bigint not null,
    next_try_at     bigint not null,
    reply           text not null,         -- the server's last words
    message_id      text not null unique,
    resent_as       text not null,         -- mail that replaced this one
    created_at      bigint not null,
    finished_at     bigint not null
);
create index mail_employee on mail (employee_id, created_at);
create index mail_registration on mail (registration_id, created_at);
create index mail_state on mail (state, created_at);

create table mail_attempt (
    mail_id     text not null references mail (id),
    number      bigint not null,
    started_at  bigint not null,
    finished_at bigint not null,           -- 0: the outcome is not known
    outcome     text not null,
    reply       text not null,
    primary key (mail_id, number)
);

create table staff_import (
    id          text primary key,
    file_name   text not null,
    dry_run     boolean not null,
    state       text not null check (state in ('waiting', 'checking', 'applying', 'done', 'refused', 'failed')),
    content     bytea not null,            -- sealed; empty once applied or a day old
    total       bigint not null,
    done        bigint not null,
    created     bigint not null,
    updated     bigint not null,
    unchanged   bigint not null,
    rejected    bigint not null,
    report      bytea not null,            -- sealed JSON, a line for every row that is not clean
    created_by  text not null,
    created_at  bigint not null,
    finished_at bigint not null
);

-- limiter holds token buckets that must survive a restart and hold across
-- processes: link requests per person, log-ins per address.
create table limiter (
    key        text primary key,
    count      bigint not null,
    window_end bigint not null
);

-- +goose Down
select 1;
