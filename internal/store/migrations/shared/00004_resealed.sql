-- +goose Up
-- resealed tells for each secret of the vault up to which version everything was
-- brought that older versions protect. A secret without a row is at version 1.
create table resealed (
    name    text primary key,
    version bigint not null,
    at      bigint not null
);

-- +goose Down
drop table resealed;
