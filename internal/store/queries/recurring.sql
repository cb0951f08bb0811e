-- name: SetDocumentPassword :execrows
update document set password_sealed = sqlc.arg(password_sealed), pages = sqlc.arg(pages), updated_at = sqlc.arg(now)
where id = sqlc.arg(id) and state <> 'erased';

-- name: ForgetDocumentPassword :exec
update document set password_sealed = '' where id = $1;

-- name: InsertLetterTemplate :exec
insert into letter_template (id, unit_id, name, maker_id, by_unit, state, version, created_at, updated_at)
values ($1, $2, $3, $4, $5, 'active', 1, $6, $6);

-- name: InsertLetterTemplateVersion :exec
insert into letter_template_version (template_id, number, content, made_by, made_at) values ($1, $2, $3, $4, $5);

-- name: GetLetterTemplate :one
select t.*, e.name as maker, e.unit_id as maker_unit, e.active as maker_active from letter_template t
join employee e on e.id = t.maker_id where t.id = $1;

-- name: GetLetterTemplateVersion :one
select v.*, e.name as maker from letter_template_version v join employee e on e.id = v.made_by
where v.template_id = $1 and v.number = $2;

-- name: LetterTemplatesOf :many
select t.*, e.name as maker, e.unit_id as maker_unit, e.active as maker_active from letter_template t
join employee e on e.id = t.maker_id
where t.unit_id = $1 and t.state = 'active' order by t.name, t.id limit 200;

-- name: ChangeLetterTemplate :execrows
update letter_template set name = sqlc.arg(name), by_unit = sqlc.arg(by_unit), version = sqlc.arg(version), updated_at = sqlc.arg(now)
where id = sqlc.arg(id) and version = sqlc.arg(old_version) and state = 'active';

-- name: RetireLetterTemplate :execrows
update letter_template set state = 'retired', updated_at = $2 where id = $1 and state = 'active';

-- name: InsertBulk :exec
insert into bulk (id, owner_id, account_id, name, template_id, template_version, form_id, state, sheet_sealed, report, done, total, created_at, changed_at, sent_at)
values ($1, $2, $3, $4, $5, $6, $7, 'draft', '', '', 0, 0, $8, $8, 0);

-- name: GetBulk :one
select * from bulk where id = $1;

-- name: LockBulk :one
update bulk set changed_at = changed_at where id = $1 returning *;

-- name: SetBulkSheet :execrows
update bulk set sheet_sealed = $2, state = 'draft', report = '', changed_at = $3 where id = $1 and state in ('draft', 'checked');

-- name: SetBulkDraft :execrows
update bulk set state = 'draft', report = '', changed_at = $2 where id = $1 and state in ('draft', 'checked');

-- name: SetBulkState :execrows
update bulk set state = sqlc.arg(state), done = 0, changed_at = sqlc.arg(now) where id = sqlc.arg(id) and state = sqlc.arg(old_state);

-- name: SetBulkProgress :exec
update bulk set done = $2, total = $3 where id = $1;

-- name: SetBulkReport :execrows
update bulk set state = sqlc.arg(state), report = sqlc.arg(report), done = sqlc.arg(total), total = sqlc.arg(total), changed_at = sqlc.arg(now)
where id = sqlc.arg(id) and state in ('checking', 'sending');

-- name: SetBulkSent :execrows
update bulk set state = 'sent', sheet_sealed = '', sent_at = $2, changed_at = $2 where id = $1 and state = 'sending';

-- name: DiscardBulk :execrows
update bulk set state = 'discarded', sheet_sealed = '', report = '', changed_at = $2 where id = $1 and state in ('draft', 'checked');

-- name: BulksOf :many
select b.*, (select count(*) from bulk_item i where i.bulk_id = b.id) as documents,
    (select count(*) from workflow w where w.bulk_id = b.id and w.state = 'open') as open_documents
from bulk b where b.owner_id = $1 and b.state <> 'discarded' order by b.created_at desc, b.id limit 100;

-- name: OldBulks :many
select id, owner_id from bulk where state in ('draft', 'checked') and changed_at < $1 limit 100;

-- name: InsertBulkItem :exec
insert into bulk_item (bulk_id, position, document_id, file, line, number, subject, dated)
select sqlc.arg(bulk_id), coalesce(max(i.position), 0) + 1, sqlc.arg(document_id), sqlc.arg(file), sqlc.arg(line), sqlc.arg(number), sqlc.arg(subject), sqlc.arg(dated)
from bulk_item i where i.bulk_id = sqlc.arg(bulk_id);

-- name: SetBulkItemRow :exec
update bulk_item set line = sqlc.arg(line), number = sqlc.arg(number), subject = sqlc.arg(subject), dated = sqlc.arg(dated)
where bulk_id = sqlc.arg(bulk_id) and position = sqlc.arg(position);

-- name: DeleteBulkItem :exec
delete from bulk_item where bulk_id = $1 and position = $2;

-- name: BulkItems :many
select i.*, d.name, d.state, d.pages, d.encrypted, d.version, d.password_sealed, v.size, v.sha256,
    cast(coalesce((select w.state from workflow w where w.document_id = i.document_id), '') as text) as flow
from bulk_item i join document d on d.id = i.document_id
join document_version v on v.document_id = d.id and v.number = d.version
where i.bulk_id = $1 and d.state <> 'erased' order by i.position;

-- name: BulkTurns :many
select b.id, b.name, o.name as owner_name, count(*) as documents, cast(min(w.created_at) as bigint) as since, cast(max(w.due_at) as bigint) as due_at
from workflow_step s join workflow w on w.id = s.workflow_id join document d on d.id = w.document_id
join bulk b on b.id = w.bulk_id join employee o on o.id = w.owner_id
where s.employee_id = $1 and s.state = 'waiting' and w.state = 'open' and d.state <> 'erased' and w.bulk_id <> ''
  and (not w.ordered or not exists (
    select 1 from workflow_step p where p.workflow_id = s.workflow_id and p.position < s.position and p.state = 'waiting'))
group by b.id, b.name, o.name order by since limit 100;

-- name: BulkTurnDocuments :many
select d.id, d.name, d.kind, d.encrypted, d.password_sealed, v.sha256, s.role, s.look, i.number, i.subject
from workflow_step s join workflow w on w.id = s.workflow_id join document d on d.id = w.document_id
join document_version v on v.document_id = d.id and v.number = d.version join bulk_item i on i.document_id = d.id
where s.employee_id = sqlc.arg(employee_id) and w.bulk_id = sqlc.arg(bulk_id) and s.state = 'waiting' and w.state = 'open' and d.state <> 'erased'
  and (not w.ordered or not exists (
    select 1 from workflow_step p where p.workflow_id = s.workflow_id and p.position < s.position and p.state = 'waiting'))
order by i.position;

-- name: IsBulkParticipant :one
select count(*) from workflow_step s join workflow w on w.id = s.workflow_id where w.bulk_id = $1 and s.employee_id = $2;

-- name: OpenOfBulk :one
select count(*) from workflow where bulk_id = $1 and state = 'open';

-- name: TellOfBulk :execrows
insert into bulk_told (bulk_id, employee_id, what) values ($1, $2, $3) on conflict do nothing;
