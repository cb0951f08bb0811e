-- name: InsertRegistration :exec
insert into registration (id, reference, employee_id, unit_id, kind, status, status_since, submitted_at,
    claimed_at, snapshot, snapshot_hash, version, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $7, 0, $8, $9, 1, $7);

-- name: LockRegistration :one
update registration set version = version + 1 where id = $1 returning *;

-- name: GetRegistration :one
select * from registration where id = $1;

-- name: GetRegistrationByReference :one
select * from registration where reference = $1;

-- name: OpenRegistration :one
select * from registration where employee_id = $1 and status in ('New', 'OnSetPassphrase', 'Enroll', 'Issuing', 'Returned');

-- name: IssuedRegistration :one
select * from registration where employee_id = $1 and status = 'Issue' and succeeded_at = 0;

-- name: RegistrationsOfEmployee :many
select * from registration where employee_id = $1 order by submitted_at desc, id limit 50;

-- name: SetRegistrationStatus :execrows
update registration set status = sqlc.arg(to_status), status_since = sqlc.arg(now), updated_at = sqlc.arg(now)
where id = sqlc.arg(id) and status = sqlc.arg(from_status);

-- name: SetRegistrationSnapshot :exec
update registration set snapshot = $2, snapshot_hash = $3, unit_id = $4, submitted_at = $5 where id = $1;

-- name: SetClaim :exec
update registration set claimed_by = $2, claimed_at = $3 where id = $1;

-- name: SetVerifiedBy :exec
update registration set verified_by = $2 where id = $1;

-- name: SetApprovedBy :exec
update registration set approved_by = $2 where id = $1;

-- name: ClearApprovals :exec
update registration set verified_by = null, approved_by = null where id = $1;

-- name: InsertRegistrationScopes :exec
insert into registration_scope (ancestor_id, registration_id, status, status_since)
select s.ancestor_id, sqlc.arg(registration_id), sqlc.arg(status), sqlc.arg(status_since)
from unit_scope s where s.unit_id = sqlc.arg(unit_id);

-- name: UpdateRegistrationScopes :exec
update registration_scope set status = $2, status_since = $3 where registration_id = $1;

-- name: DeleteRegistrationScopes :exec
delete from registration_scope where registration_id = $1;

-- name: InsertReview :exec
insert into review (id, registration_id, stage, officer_id, applicant_id, snapshot_hash, verdict, note, created_at, voided_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0);

-- name: InsertReviewField :exec
insert into review_field (review_id, field, accepted, reason_code, reason_text) values ($1, $2, $3, $4, $5);

-- name: ReviewsOf :many
select * from review where registration_id = $1 order by created_at, id;

-- name: ReviewFields :many
select * from review_field where review_id = $1 order by field;

-- name: VoidReviews :execrows
update review set voided_at = $2 where registration_id = $1 and voided_at = 0;

-- name: InsertEnrolLink :exec
insert into enrol_link (id, registration_id, token_hash, created_at, expires_at, used_at, superseded_at, warned_at)
values ($1, $2, $3, $4, $5, 0, 0, 0);

-- name: SupersedeEnrolLinks :execrows
update enrol_link set superseded_at = $2 where registration_id = $1 and used_at = 0 and superseded_at = 0;

-- name: GetEnrolLink :one
select * from enrol_link where token_hash = $1;

-- name: UseEnrolLink :execrows
update enrol_link set used_at = sqlc.arg(now)
where token_hash = sqlc.arg(token_hash) and used_at = 0 and superseded_at = 0 and expires_at > sqlc.arg(now);

-- name: LatestEnrolLink :one
select * from enrol_link where registration_id = $1 order by created_at desc, id limit 1;

-- name: CountEnrolLinksSince :one
select count(*) from enrol_link where registration_id = $1 and created_at > $2;

-- name: EnrolLinksToWarn :many
select * from enrol_link where used_at = 0 and superseded_at = 0 and warned_at = 0
    and expires_at > sqlc.arg(now) and expires_at < sqlc.arg(soon) order by expires_at limit 500;

-- name: SetEnrolLinkWarned :execrows
update enrol_link set warned_at = $2 where id = $1 and warned_at = 0;

-- name: InsertEnrolSession :exec
insert into enrol_session (token_hash, registration_id, created_at, expires_at) values ($1, $2, $3, $4);

-- name: GetEnrolSession :one
select * from enrol_session where token_hash = $1 and expires_at > $2;

-- name: DeleteEnrolSessions :exec
delete from enrol_session where registration_id = $1;

-- name: InsertAgreementText :exec
insert into agreement_text (hash, kind, version, locale, body, created_at) values ($1, $2, $3, $4, $5, $6) on conflict do nothing;

-- name: GetAgreementText :one
select * from agreement_text where hash = $1;

-- name: InsertAcceptance :exec
insert into acceptance (id, registration_id, employee_id, kind, text_hash, accepted_at, address, user_agent)
values ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: AcceptancesOf :many
select a.*, t.version, t.locale from acceptance a join agreement_text t on t.hash = a.text_hash
where a.registration_id = $1 order by a.accepted_at desc, a.kind;

-- name: LastHistory :one
select seq, hash from history where registration_id = $1 order by seq desc limit 1;

-- name: InsertHistory :exec
insert into history (registration_id, seq, at, action, from_status, to_status, actor_id, actor_role, reason_code,
    reason_text, detail, evidence_hash, prev_hash, hash)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- name: HistoryOf :many
select h.*, a.display_name from history h left join account a on a.id = h.actor_id
where h.registration_id = $1 order by h.seq;

-- name: InsertStageWait :exec
insert into stage_wait (registration_id, status, ended_at, micros) values ($1, $2, $3, $4) on conflict do nothing;

-- name: RecentWaits :many
select micros from stage_wait where status = $1 and ended_at > $2 order by ended_at desc limit 2000;

-- name: VoidStage :execrows
update review set voided_at = $3 where registration_id = $1 and stage = $2 and voided_at = 0;

-- name: SetReplaces :exec
update registration set replaces_id = $2 where id = $1;
