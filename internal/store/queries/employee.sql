-- name: InsertEmployee :exec
insert into employee (id, nip, nik_sealed, nik_index, name, position, grade, unit_id, email, phone,
    birth_place, birth_date, sex, time_zone, locale, active, version, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 1, $17, $17);

-- name: UpdateEmployee :execrows
update employee set nik_sealed = $2, nik_index = $3, name = $4, position = $5, grade = $6, unit_id = $7, email = $8,
    phone = $9, birth_place = $10, birth_date = $11, sex = $12, time_zone = $13, locale = $14, active = $15,
    version = version + 1, updated_at = $16
where id = $1;

-- name: LockEmployee :one
update employee set updated_at = updated_at where id = $1 returning *;

-- name: GetEmployee :one
select * from employee where id = $1;

-- name: GetEmployeeByNIP :one
select * from employee where nip = $1;

-- name: CountEmployees :one
select count(*) from employee;

-- name: EmployeesByNIKIndex :many
select id, nip, name, unit_id from employee where nik_index = $1 and id <> $2 limit 5;

-- name: EmployeesByEmail :many
select id, nip, name, unit_id from employee where email = $1 and id <> $2 limit 5;

-- name: InsertSearchTerm :exec
insert into search_term (term, employee_id) values ($1, $2) on conflict do nothing;

-- name: DeleteSearchTerms :exec
delete from search_term where employee_id = $1;

-- name: CountTermsUpTo :one
select count(*) from (
    select 1 as one from search_term where term >= sqlc.arg(from_term) and term < sqlc.arg(to_term) limit sqlc.arg(max_rows)
) as few;

-- name: DeleteSearchTerm :exec
delete from search_term where term = $1 and employee_id = $2;

-- name: EmployeesOfUnitByName :many
select * from employee
where unit_id = sqlc.arg(unit_id)
    and (name > sqlc.arg(after_name) or (name = sqlc.arg(after_name) and id > sqlc.arg(after_id)))
order by name, id limit sqlc.arg(max_rows);

-- name: CountEmployeesUpTo :one
select count(*) from (
    select 1 from unit_scope s join employee e on e.unit_id = s.unit_id
    where s.ancestor_id = sqlc.arg(ancestor_id) limit sqlc.arg(max_rows)
) counted;
