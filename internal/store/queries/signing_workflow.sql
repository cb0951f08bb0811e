-- name: InsertWorkflow :exec
insert into workflow (id, document_id, owner_id, ordered, note, state, created_at, ended_at, template_id, template_version, due_at, bulk_id)
values ($1, $2, $3, $4, $5, 'open', $6, 0, $7, $8, $9, $10);

-- name: InsertWorkflowStep :exec
insert into workflow_step (workflow_id, position, employee_id, role, anchor, state, done_at, version, reminded_at, look)
values ($1, $2, $3, $4, $5, 'waiting', 0, 0, 0, $6);

-- name: WorkflowOfDocument :one
select * from workflow where document_id = $1;

-- name: LockWorkflow :one
update workflow set ended_at = ended_at where document_id = $1 returning *;

-- name: WorkflowSteps :many
select s.*, e.name, e.nip, e.position as office from workflow_step s join employee e on e.id = s.employee_id
where s.workflow_id = $1 order by s.position;

-- name: WorkflowEvents :many
select v.*, e.name from workflow_event v join employee e on e.id = v.employee_id where v.workflow_id = $1 order by v.seq;

-- name: InsertWorkflowEvent :exec
insert into workflow_event (workflow_id, seq, at, employee_id, action, reason)
select sqlc.arg(workflow_id), coalesce(max(seq), 0) + 1, sqlc.arg(at), sqlc.arg(employee_id), sqlc.arg(action), sqlc.arg(reason)
from workflow_event where workflow_id = sqlc.arg(workflow_id);

-- name: EndWorkflow :execrows
update workflow set state = $2, ended_at = $3 where id = $1 and state = 'open';

-- name: FinishWorkflowStep :execrows
update workflow_step set state = 'done', done_at = $3, version = $4 where workflow_id = $1 and position = $2 and state = 'waiting';

-- name: PrepareWorkflowStep :execrows
update workflow_step set fields = $3 where workflow_id = $1 and position = $2 and state = 'waiting' and fields = '';

-- name: SetWorkflowReminded :execrows
update workflow_step set reminded_at = sqlc.arg(now)
where workflow_id = sqlc.arg(workflow_id) and position = sqlc.arg(position) and state = 'waiting' and reminded_at < sqlc.arg(before);

-- name: WorkflowTurns :many
select w.document_id, w.id, w.created_at, w.due_at, d.name, o.name as owner_name, s.role from workflow_step s
join workflow w on w.id = s.workflow_id join document d on d.id = w.document_id join employee o on o.id = w.owner_id
where s.employee_id = $1 and s.state = 'waiting' and w.state = 'open' and d.state <> 'erased' and w.bulk_id = ''
  and (not w.ordered or not exists (
    select 1 from workflow_step b where b.workflow_id = s.workflow_id and b.position < s.position and b.state = 'waiting'))
order by w.created_at limit 200;

-- name: IsParticipant :one
select count(*) from workflow_step s join workflow w on w.id = s.workflow_id where w.document_id = $1 and s.employee_id = $2;

-- name: WorkflowsToRemind :many
select w.document_id, s.position from workflow_step s join workflow w on w.id = s.workflow_id
where w.state = 'open' and s.state = 'waiting'
  and (w.created_at < sqlc.arg(before) and s.reminded_at < sqlc.arg(before)
    or w.due_at > 0 and w.due_at < sqlc.arg(due) and s.reminded_at < sqlc.arg(a_day_ago))
order by w.created_at limit 500;
