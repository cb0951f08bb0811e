-- An application may be bound to a unit: it knows nobody outside of that unit and
-- those below it.

-- +goose Up

alter table api_client add column unit_id text not null default '';  -- empty: people of every unit

-- +goose Down

alter table api_client drop column unit_id;
