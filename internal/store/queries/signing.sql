-- name: InsertDocument :exec
insert into document (id, owner_id, client_id, name, kind, state, pages, encrypted, shared, version, created_at, updated_at, password_sealed)
values ($1, $2, $3, $4, $5, 'new', $6, $7, false, 1, $8, $8, $9);

-- name: InsertDocumentVersion :exec
insert into document_version (document_id, number, blob_id, key_sealed, size, sha256, created_at)
values ($1, $2, $3, $4, $5, $6, $7);

-- name: GetDocument :one
select * from document where id = $1;

-- name: LockDocument :one
update document set updated_at = updated_at where id = $1 returning *;

-- name: GetDocumentVersion :one
select * from document_version where document_id = $1 and number = $2;

-- name: DocumentVersions :many
select * from document_version where document_id = $1 order by number;

-- name: DocumentsOf :many
select d.*, v.size, v.sha256, cast(coalesce((select w.state from workflow w where w.document_id = d.id), '') as text) as flow,
    (select count(*) from workflow_step t join workflow w on w.id = t.workflow_id where w.document_id = d.id and t.state = 'waiting') as waiting
from document d
join document_version v on v.document_id = d.id and v.number = d.version
where d.owner_id = sqlc.arg(owner_id) and (cast(sqlc.arg(every) as boolean) or d.client_id = sqlc.arg(client_id)) and d.state <> 'erased'
  and not exists (select 1 from bulk_item i where i.document_id = d.id)
  and (d.created_at < sqlc.arg(before) or (d.created_at = sqlc.arg(before) and d.id < sqlc.arg(before_id)))
order by d.created_at desc, d.id desc limit sqlc.arg(max_rows);

-- name: DocumentClients :many
select distinct client_id from document
where owner_id = $1 and client_id <> '' and state <> 'erased' order by client_id;

-- name: DocumentUsage :one
select count(*) as versions, cast(coalesce(sum(v.size), 0) as bigint) as bytes
from document_version v join document d on d.id = v.document_id
where d.owner_id = $1 and d.state <> 'erased';

-- name: AdvanceDocument :execrows
update document set state = 'signed', version = sqlc.arg(version), updated_at = sqlc.arg(now)
where id = sqlc.arg(id) and version = sqlc.arg(old_version) and state <> 'erased';

-- name: EraseDocument :execrows
update document set state = 'erased', name = '', password_sealed = '', updated_at = sqlc.arg(now) where id = sqlc.arg(id) and state <> 'erased';

-- name: EraseDocumentVersions :exec
update document_version set key_sealed = '' where document_id = $1;

-- name: SetDocumentShared :execrows
update document set shared = $2, updated_at = $3 where id = $1 and state <> 'erased';

-- name: SetDocumentKind :execrows
update document set kind = $2, updated_at = $3 where id = $1 and state = 'new';

-- name: FindBlobVersion :one
select count(*) from document_version where blob_id = $1 and length(key_sealed) > 0;

-- name: InsertActivation :exec
insert into activation (id, token_hash, credential_id, employee_id, account_id, client_id, process, generation, created_at, expires_at, ended_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0);

-- name: GetActivation :one
select * from activation where id = $1;

-- name: EndActivation :execrows
update activation set ended_at = $2 where id = $1 and ended_at = 0;

-- name: OpenActivations :many
select * from activation where ended_at = 0 and expires_at <= sqlc.arg(now) order by expires_at limit 1000;

-- name: ActivationsOf :many
select * from activation where employee_id = $1 order by created_at desc, id limit 50;

-- name: InsertActivationItem :exec
insert into activation_item (activation_id, position, kind, document_id, digest, request, name, uses, signed_as, decree, state, problem, finished_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'unused', '', 0);

-- name: ActivationItems :many
select * from activation_item where activation_id = $1 order by position;

-- name: UseActivationItem :execrows
update activation_item set state = 'used'
where activation_id = $1 and position = $2 and state = 'unused'
  and exists (select 1 from activation a where a.id = $1 and a.ended_at = 0);

-- name: FinishActivationItem :execrows
update activation_item set state = sqlc.arg(state), problem = sqlc.arg(problem), finished_at = sqlc.arg(now)
where activation_id = sqlc.arg(activation_id) and position = sqlc.arg(position) and state in ('unused', 'used');

-- name: CloseActivationItems :execrows
update activation_item set state = 'failed', problem = sqlc.arg(problem), finished_at = sqlc.arg(now)
where activation_id = sqlc.arg(activation_id) and state in ('unused', 'used');

-- name: IntendSignature :exec
insert into signature (id, activation_id, position, place, credential_id, serial, scheme, hash, state, value, document_id,
    source_sha256, version, level, intended_at, made_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, 'intended', '', $9, $10, 0, $11, $12, 0);

-- name: IntendSignatureAgain :execrows
update signature set state = 'intended', activation_id = sqlc.arg(activation_id), position = sqlc.arg(position), place = sqlc.arg(place),
    serial = sqlc.arg(serial), intended_at = sqlc.arg(now)
where credential_id = sqlc.arg(credential_id) and scheme = sqlc.arg(scheme) and hash = sqlc.arg(hash) and state = 'lost';

-- name: SignatureOfHash :one
select * from signature where credential_id = $1 and scheme = $2 and hash = $3;

-- name: MakeSignature :execrows
update signature set state = 'made', value = sqlc.arg(value), version = sqlc.arg(version), level = sqlc.arg(level), made_at = sqlc.arg(now)
where id = sqlc.arg(id) and state = 'intended';

-- name: LoseSignatures :execrows
update signature set state = 'lost' where activation_id = $1 and position = $2 and state = 'intended';

-- name: LoseSignaturesOfActivation :execrows
update signature set state = 'lost' where activation_id = $1 and state = 'intended';

-- name: LoseOldSignaturesOfDocument :execrows
update signature set state = 'lost' where document_id = $1 and state = 'intended' and intended_at < $2;

-- name: SignaturesOfDocument :many
select s.*, a.employee_id, e.name, e.nip, e.position as office, i.signed_as, i.decree from signature s
join activation a on a.id = s.activation_id join employee e on e.id = a.employee_id
join activation_item i on i.activation_id = s.activation_id and i.position = s.position
where s.document_id = $1 and s.state = 'made' order by s.version, s.place;

-- name: VersionBySHA256 :one
select document_id, number from document_version where sha256 = $1 order by created_at limit 1;

-- name: DocumentUploadedSince :one
select d.id from document d join document_version v on v.document_id = d.id and v.number = 1
where d.owner_id = sqlc.arg(owner_id) and d.client_id = sqlc.arg(client_id) and d.state = 'new' and d.version = 1 and d.name = sqlc.arg(name)
    and v.sha256 = sqlc.arg(sha256) and d.created_at >= sqlc.arg(since)
order by d.created_at desc limit 1;

-- name: SignatureOfSource :one
select s.* from signature s
where s.document_id = $1 and s.credential_id = $2 and s.source_sha256 = $3 and s.state = 'made' and s.place = 0
order by s.version desc limit 1;

-- name: CountSignatures :one
select cast(coalesce(sum(case when state = 'intended' then 1 else 0 end), 0) as bigint) as intended,
    cast(coalesce(sum(case when state = 'made' then 1 else 0 end), 0) as bigint) as made,
    cast(coalesce(sum(case when state = 'lost' then 1 else 0 end), 0) as bigint) as lost from signature;

-- name: InsertSigningAuthority :exec
insert into signing_authority (id, employee_id, form, office, behalf, decree, decree_date, valid_from, valid_until, forbidden,
    entered_by, entered_at, revoked_by, revoked_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '', 0);

-- name: GetSigningAuthority :one
select * from signing_authority where id = $1;

-- name: SigningAuthoritiesOf :many
select * from signing_authority where employee_id = $1 order by valid_from desc, id limit 100;

-- name: RevokeSigningAuthority :execrows
update signing_authority set revoked_by = $2, revoked_at = $3 where id = $1 and revoked_at = 0;
