-- name: InsertUnit :exec
insert into unit (id, parent_id, code, name, created_at, updated_at) values ($1, $2, $3, $4, $5, $5);

-- name: InsertUnitScope :exec
insert into unit_scope (ancestor_id, unit_id, depth) values ($1, $2, $3);

-- name: InheritUnitScope :exec
insert into unit_scope (ancestor_id, unit_id, depth)
select s.ancestor_id, sqlc.arg(unit_id), s.depth + 1 from unit_scope s where s.unit_id = sqlc.arg(parent_id);

-- name: GetUnit :one
select * from unit where id = $1;

-- name: GetUnitByCode :one
select * from unit where code = $1;

-- name: ListUnits :many
select * from unit order by code;

-- name: RenameUnit :execrows
update unit set name = $2, updated_at = $3 where id = $1;

-- name: UnitAncestors :many
select u.*, s.depth from unit_scope s join unit u on u.id = s.ancestor_id where s.unit_id = $1 order by s.depth desc;

-- name: InScope :one
select count(*) from unit_scope where ancestor_id = $1 and unit_id = $2;

-- name: UnitSizes :many
select unit_id, count(*) as employees from employee where active group by unit_id;

-- name: RootUnits :many
select id from unit where parent_id is null order by code;
