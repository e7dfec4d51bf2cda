-- Without RETURNING, which would ask for the right to read as well.
insert into storage.objects (
  id, bucket_id, name, version, owner, owner_id, metadata, user_metadata
)
values (
  coalesce($1::uuid, gen_random_uuid()), $2, $3, $4, $5::uuid, $6, $7::jsonb, $8::jsonb
)
