-- name: InsertSeal :exec
insert into seal (id, name, organisation, organisation_id, state, serial, key_name, created_at, changed_at)
values ($1, $2, $3, $4, 'ordered', '', '', $5, $5);

-- name: GetSeal :one
select * from seal where id = $1;

-- name: LockSeal :one
update seal set changed_at = changed_at where id = $1 returning *;

-- name: Seals :many
select * from seal order by name, id;

-- name: SetSealState :execrows
update seal set state = sqlc.arg(state), changed_at = sqlc.arg(now) where id = sqlc.arg(id) and state = sqlc.arg(old_state);

-- name: SetSealCertificate :execrows
update seal set state = case when state = 'suspended' then 'suspended' else 'active' end, serial = sqlc.arg(serial), key_name = sqlc.arg(key_name), changed_at = sqlc.arg(now)
where id = sqlc.arg(id) and state in ('ordered', 'active', 'suspended');

-- name: InsertSealOrder :exec
insert into seal_order (id, seal_id, kind, subject_id, reason_code, note, state, proposed_by, proposed_at, decided_at, reason, key_name, csr, problem, serial)
values ($1, $2, $3, $4, $5, $6, 'open', $7, $8, 0, '', '', '', '', '');

-- name: GetSealOrder :one
select * from seal_order where id = $1;

-- name: SealOrders :many
select o.*, p.display_name as proposer, coalesce(d.display_name, '') as decider, coalesce(e.name, '') as subject
from seal_order o join account p on p.id = o.proposed_by
left join account d on d.id = o.decided_by left join employee e on e.id = o.subject_id
where o.seal_id = $1 order by o.proposed_at desc, o.id limit 100;

-- name: CountOpenSealOrders :one
select count(*) from seal_order where state = 'open';

-- name: CountSealOrders :one
select count(*) from seal_order where seal_id = $1 and kind in ('make', 'renew');

-- name: DecideSealOrder :execrows
update seal_order set state = sqlc.arg(state), decided_by = sqlc.arg(decided_by), decided_at = sqlc.arg(now), reason = sqlc.arg(reason),
    key_name = sqlc.arg(key_name), csr = sqlc.arg(csr)
where id = sqlc.arg(id) and state = 'open';

-- name: FinishSealOrder :execrows
update seal_order set state = sqlc.arg(state), problem = sqlc.arg(problem), serial = sqlc.arg(serial)
where id = sqlc.arg(id) and state = 'approved';

-- name: CountAdministrators :one
-- Which of two accounts are active and hold the role of an administrator.
select count(*) from account a where a.id in (sqlc.arg(one), sqlc.arg(two)) and a.state = 'active'
    and exists (select 1 from role_grant g where g.account_id = a.id and g.role = 'administrator');

-- name: InsertSealKeeper :exec
insert into seal_keeper (seal_id, employee_id, order_id, since, ended_at, ended_by) values ($1, $2, $3, $4, 0, '');

-- name: EndSealKeeper :execrows
update seal_keeper set ended_at = sqlc.arg(now), ended_by = sqlc.arg(ended_by)
where seal_id = sqlc.arg(seal_id) and employee_id = sqlc.arg(employee_id) and ended_at = 0;

-- name: SealKeepers :many
select k.*, e.name, e.nip, e.position as office, e.active from seal_keeper k join employee e on e.id = k.employee_id
where k.seal_id = $1 and k.ended_at = 0 order by e.name, e.id;

-- name: IsSealKeeper :one
select count(*) from seal_keeper k join employee e on e.id = k.employee_id
where k.seal_id = $1 and k.employee_id = $2 and k.ended_at = 0 and e.active;

-- name: SealsOfKeeper :many
select s.* from seal s join seal_keeper k on k.seal_id = s.id
where k.employee_id = $1 and k.ended_at = 0 order by s.name, s.id;

-- name: InsertSealRequest :exec
insert into seal_request (id, seal_id, requested_by, requested_at, expires_at, note, digest, state, decided_at, reason, ended_at)
values ($1, $2, $3, $4, $5, $6, $7, 'open', 0, '', 0);

-- name: GetSealRequest :one
select r.*, s.name as seal_name, a.name as requester, coalesce(b.name, '') as decider from seal_request r
join seal s on s.id = r.seal_id join employee a on a.id = r.requested_by left join employee b on b.id = r.decided_by
where r.id = $1;

-- name: DecideSealRequest :execrows
update seal_request set state = sqlc.arg(state), decided_by = sqlc.arg(decided_by), decided_at = sqlc.arg(now), reason = sqlc.arg(reason),
    ended_at = sqlc.arg(ended_at)
where id = sqlc.arg(id) and state = 'open';

-- name: EndSealRequest :execrows
update seal_request set state = 'done', ended_at = sqlc.arg(now) where id = sqlc.arg(id) and state = 'released';

-- name: ExpiredSealRequests :many
select id from seal_request where state = 'open' and expires_at <= $1 order by expires_at limit 500;

-- name: ReleasedSealRequests :many
select id from seal_request where state = 'released' order by decided_at limit 500;

-- name: SealRequestsOfKeeper :many
-- Those of all seals that the employee keeps, the newest first.
select r.*, s.name as seal_name, a.name as requester,
    (select count(*) from seal_item i where i.request_id = r.id) as items
from seal_request r join seal s on s.id = r.seal_id join employee a on a.id = r.requested_by
where r.requested_by = sqlc.arg(employee_id) or exists (
    select 1 from seal_keeper k where k.seal_id = r.seal_id and k.employee_id = sqlc.arg(employee_id) and k.ended_at = 0)
order by r.requested_at desc, r.id limit 100;

-- name: CountSealRequestsFor :one
-- What waits for an employee to release.
select count(*) from seal_request r
where r.state = 'open' and r.expires_at > sqlc.arg(now) and r.requested_by <> sqlc.arg(employee_id) and exists (
    select 1 from seal_keeper k where k.seal_id = r.seal_id and k.employee_id = sqlc.arg(employee_id) and k.ended_at = 0);

-- name: InsertSealItem :exec
insert into seal_item (request_id, position, document_id, name, version, digest, request, state, problem, finished_at)
values ($1, $2, $3, $4, $5, $6, $7, 'waiting', '', 0);

-- name: SealItems :many
select * from seal_item where request_id = $1 order by position;

-- name: FinishSealItem :execrows
update seal_item set state = sqlc.arg(state), problem = sqlc.arg(problem), finished_at = sqlc.arg(now)
where request_id = sqlc.arg(request_id) and position = sqlc.arg(position) and state = 'waiting';

-- name: CountOpenSealItemsOfDocument :one
select count(*) from seal_item i join seal_request r on r.id = i.request_id
where i.document_id = $1 and i.state = 'waiting' and r.state in ('open', 'released');

-- name: DocumentForSealKeeper :one
-- Whether an employee keeps a seal that is asked for on this document.
select count(*) from seal_item i join seal_request r on r.id = i.request_id
join seal_keeper k on k.seal_id = r.seal_id and k.ended_at = 0
where i.document_id = sqlc.arg(document_id) and k.employee_id = sqlc.arg(employee_id);

-- name: AskSealWindow :exec
insert into seal_window (id, seal_id, client_id, state, asked_at, requested_at, lasts, documents, opened_at, expires_at, code_hash, used, ended_at, ended_by)
values ($1, $2, $3, 'asked', $4, 0, 0, 0, 0, 0, '', 0, 0, '');

-- name: ProposeSealWindow :exec
insert into seal_window (id, seal_id, client_id, state, asked_at, requested_by, requested_at, lasts, documents, opened_at, expires_at, code_hash, used, ended_at, ended_by)
values ($1, $2, $3, 'proposed', 0, $4, $5, $6, $7, 0, 0, '', 0, 0, '');

-- name: CountAskedSealWindows :one
select count(*) from seal_window where seal_id = $1 and client_id = $2 and state = 'asked' and asked_at > $3;

-- name: CloseAskedSealWindows :exec
update seal_window set state = 'closed', ended_at = sqlc.arg(now), ended_by = sqlc.arg(ended_by)
where seal_id = sqlc.arg(seal_id) and client_id = sqlc.arg(client_id) and state = 'asked';

-- name: GetSealWindow :one
select * from seal_window where id = $1;

-- name: SealWindowOfCode :one
select * from seal_window where code_hash = $1;

-- name: OpenSealWindow :execrows
update seal_window set state = 'open', opened_by = sqlc.arg(opened_by), opened_at = sqlc.arg(now), expires_at = sqlc.arg(expires_at), code_hash = sqlc.arg(code_hash)
where id = sqlc.arg(id) and state = 'proposed';

-- name: EndSealWindow :execrows
update seal_window set state = sqlc.arg(state), ended_at = sqlc.arg(now), ended_by = sqlc.arg(ended_by)
where id = sqlc.arg(id) and state in ('asked', 'proposed', 'open');

-- name: EndSealWindowsOfSeal :execrows
update seal_window set state = 'closed', ended_at = sqlc.arg(now), ended_by = sqlc.arg(ended_by)
where seal_id = sqlc.arg(seal_id) and state in ('asked', 'proposed', 'open');

-- name: SpendSealWindow :execrows
update seal_window set used = used + sqlc.arg(files)
where id = sqlc.arg(id) and state = 'open' and expires_at > sqlc.arg(now) and used + sqlc.arg(files) <= documents;

-- name: SealWindows :many
select w.*, c.name as client, coalesce(a.name, '') as requester, coalesce(b.name, '') as opener
from seal_window w join api_client c on c.id = w.client_id
left join employee a on a.id = w.requested_by left join employee b on b.id = w.opened_by
where w.seal_id = $1 order by case when w.requested_at > w.asked_at then w.requested_at else w.asked_at end desc, w.id limit 50;

-- name: InsertSealCode :exec
insert into seal_code (code_hash, window_id, files, created_at, expires_at, used_at) values ($1, $2, $3, $4, $5, 0);

-- name: GetSealCode :one
select * from seal_code where code_hash = $1;

-- name: UseSealCode :execrows
update seal_code set used_at = sqlc.arg(now) where code_hash = sqlc.arg(code_hash) and used_at = 0 and expires_at > sqlc.arg(now);

-- name: ForgetSealCodes :execrows
delete from seal_code where expires_at < $1;

-- name: IntendSealUse :exec
insert into seal_use (id, seal_id, serial, request_id, position, window_id, hash, state, value, document_id, source_sha256, sha256, version, level, intended_at, made_at)
values ($1, $2, $3, $4, $5, $6, $7, 'intended', '', $8, $9, '', 0, $10, $11, 0);

-- name: MakeSealUse :execrows
update seal_use set state = 'made', value = sqlc.arg(value), sha256 = sqlc.arg(sha256), version = sqlc.arg(version), level = sqlc.arg(level), made_at = sqlc.arg(now)
where id = sqlc.arg(id) and state = 'intended';

-- name: LoseSealUse :execrows
update seal_use set state = 'lost' where id = $1 and state = 'intended';

-- name: LoseSealUsesOfItem :execrows
update seal_use set state = 'lost' where request_id = $1 and position = $2 and state = 'intended';

-- name: LoseOldSealUses :execrows
update seal_use set state = 'lost' where state = 'intended' and request_id is null and intended_at < $1;

-- name: SealUsesOfRequest :many
select * from seal_use where request_id = $1 order by position, intended_at;

-- name: SealsOnDocument :many
select u.*, s.name as seal_name, s.organisation from seal_use u join seal s on s.id = u.seal_id
where u.document_id = $1 and u.state = 'made' order by u.version;

-- name: CountSealUses :one
select cast(coalesce(sum(case when state = 'intended' then 1 else 0 end), 0) as bigint) as intended,
    cast(coalesce(sum(case when state = 'made' then 1 else 0 end), 0) as bigint) as made,
    cast(coalesce(sum(case when state = 'lost' then 1 else 0 end), 0) as bigint) as lost from seal_use where seal_id = $1;

-- name: KeyUsedElsewhere :one
-- Whether a key is blocked, a subscriber's, or one of the authority's under another name.
select (select count(*) from blocked_key b where b.spki_hash = sqlc.arg(spki_hash))
    + (select count(*) from certificate c where c.spki_hash = sqlc.arg(spki_hash))
    + (select count(*) from authority_certificate a where a.spki_hash = sqlc.arg(spki_hash) and a.name <> sqlc.arg(name)) as n;

-- name: SealCertificates :many
-- All that a seal has had, the newest first.
select a.* from authority_certificate a join seal_order o on o.serial = a.serial
where o.seal_id = $1 and o.kind in ('make', 'renew') and o.state = 'done' order by a.not_before desc, a.name desc;
