-- name: InsertShredded :exec
insert into shredded (kind, object_id, at, why) values ($1, $2, $3, $4) on conflict do nothing;

-- name: ReplayEvidence :execrows
update evidence set state = 'erased', key_sealed = '', thumb_sealed = '' where id = $1 and key_sealed <> '';

-- name: ReplayRegistration :execrows
update registration set snapshot = '' where id = $1 and snapshot <> '';

-- name: EvidenceToErase :many
-- Scans of which nothing needs to be proven any more: rejected, replaced or
-- proposed and left for long, and those of people who have nothing under way,
-- no certificate that is valid, and are no longer looked at.
select e.id, e.employee_id, e.kind, e.state from evidence e join employee p on p.id = e.employee_id
where e.state <> 'erased' and (
    (e.state in ('rejected', 'replaced') and e.uploaded_at < sqlc.arg(old_before)
        and not exists (select 1 from registration r where r.employee_id = e.employee_id
            and r.status in ('New', 'OnSetPassphrase', 'Enroll', 'Issuing', 'Returned')))
    or (not p.active and p.updated_at < sqlc.arg(left_before)
        and not exists (select 1 from registration r where r.employee_id = e.employee_id
            and r.status in ('New', 'OnSetPassphrase', 'Enroll', 'Issuing', 'Returned', 'Issue'))))
order by e.id limit 500;

-- name: RegistrationsToErase :many
select id, employee_id, reference from registration
where status in ('Rejected', 'Cancelled') and status_since < $1 and snapshot <> '' order by id limit 500;

-- name: ForgetMails :execrows
delete from mail where id in (
    select m.id from mail m where m.state <> 'queued' and m.created_at < $1
        and not exists (select 1 from mail n where n.resent_as = m.id) limit 1000);

-- name: ForgetMailAttempts :execrows
delete from mail_attempt where mail_id in (
    select m.id from mail m where m.state <> 'queued' and m.created_at < $1
        and not exists (select 1 from mail n where n.resent_as = m.id) limit 1000);

-- name: ForgetSessions :execrows
delete from session where expires_at < $1;

-- name: ForgetViews :execrows
delete from evidence_view where viewed_at < $1;

-- name: InsertSubjectRequest :exec
insert into subject_request (id, reference, employee_id, kind, text_sealed, state, opened_at, due_at, escalated_at, closed_at,
    answered_by, outcome, answer_sealed)
values ($1, $2, $3, $4, $5, 'open', $6, $7, 0, 0, '', '', '');

-- name: GetSubjectRequest :one
select * from subject_request where id = $1;

-- name: LockSubjectRequest :one
update subject_request set state = state where id = $1 returning *;

-- name: SubjectRequestsOf :many
select * from subject_request where employee_id = $1 order by opened_at desc, id limit 100;

-- name: OpenSubjectRequestsOf :one
select count(*) from subject_request where employee_id = $1 and state = 'open';

-- name: SubjectRequestQueue :many
select s.*, e.name, e.nip, u.name as unit_name from subject_request s
join employee e on e.id = s.employee_id join unit u on u.id = e.unit_id
where s.state = 'open' order by s.due_at, s.id limit 500;

-- name: AnsweredSubjectRequests :many
select s.*, e.name, e.nip, u.name as unit_name from subject_request s
join employee e on e.id = s.employee_id join unit u on u.id = e.unit_id
where s.state <> 'open' order by s.closed_at desc, s.id limit 100;

-- name: CountOpenSubjectRequests :one
select count(*) from subject_request where state = 'open';

-- name: CloseSubjectRequest :execrows
update subject_request set state = $2, closed_at = $3, answered_by = $4, outcome = $5, answer_sealed = $6
where id = $1 and state = 'open';

-- name: SubjectRequestsToEscalate :many
select * from subject_request where state = 'open' and escalated_at = 0 and opened_at < $1 order by due_at, id limit 500;

-- name: EscalateSubjectRequest :execrows
update subject_request set escalated_at = $2 where id = $1 and state = 'open' and escalated_at = 0;

-- name: InsertBreach :exec
insert into breach (id, reference, scope, known_at, due_at, affected, told_at, created_by, created_at)
values ($1, $2, $3, $4, $5, $6, 0, $7, $8);

-- name: InsertBreachSubject :exec
insert into breach_subject (breach_id, employee_id, data) values ($1, $2, $3);

-- name: GetBreachByReference :one
select * from breach where reference = $1;

-- name: BreachSubjects :many
select b.*, e.name, e.nip, e.email, e.locale, e.time_zone from breach_subject b join employee e on e.id = b.employee_id
where b.breach_id = $1 order by e.nip;

-- name: SetBreachTold :execrows
update breach set told_at = $2 where id = $1 and told_at = 0;

-- name: ViewedBy :many
-- Whose scans an account looked at in a period.
select distinct owner_id, evidence_id from evidence_view
where account_id = sqlc.arg(account_id) and viewed_at >= sqlc.arg(since) and viewed_at < sqlc.arg(until) order by owner_id, evidence_id;

-- name: EvidenceOwner :one
select employee_id from evidence where id = $1;

-- name: EvidenceOwnersUntil :many
-- Everybody who had a scan stored that was uploaded before a time and not erased.
select distinct employee_id from evidence where uploaded_at < $1 and state <> 'erased' order by employee_id;

-- name: EmployeesUntil :many
select id from employee where created_at < $1 order by id;

-- name: LatestPractice :one
select * from practice_statement order by version desc limit 1;

-- name: GetPractice :one
select * from practice_statement where version = $1;

-- name: PracticeVersions :many
select version, digest, published_at from practice_statement order by version desc limit 200;

-- name: InsertPractice :exec
insert into practice_statement (version, digest, settings, body_id, body_en, published_at) values ($1, $2, $3, $4, $5, $6);
