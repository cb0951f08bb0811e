-- Signature fields that the first signer of a document makes for the others.

-- +goose Up

-- The names of the fields that wait for this signer, separated by spaces, in the
-- order of the places of his look; empty: none were made.
alter table workflow_step add column fields text not null default '';

-- +goose Down
select 1;
