-- Whoever replaces becomes the owner, if they are somebody.
insert into storage.objects as o (
  bucket_id, name, version, owner, owner_id, metadata, user_metadata
)
values ($1, $2, $3, $4::uuid, $5, $6::jsonb, $7::jsonb)
on conflict (bucket_id, name) do update set
  version = excluded.version,
  owner = coalesce(excluded.owner, o.owner),
  owner_id = coalesce(excluded.owner_id, o.owner_id),
  metadata = excluded.metadata,
  user_metadata = coalesce(excluded.user_metadata, o.user_metadata)
returning id::text
