-- Without RETURNING, which would ask for the right to read as well.
insert into storage.objects (bucket_id, name, version, owner, owner_id, metadata, user_metadata)
values ($1, $2, $3, $4::uuid, $5, $6::jsonb, $7::jsonb)
