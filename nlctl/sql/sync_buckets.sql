-- Returns the buckets that were written, and whether each is new.
insert into storage.buckets as kept (id, name, public, file_size_limit, allowed_mime_types)
select id, id, public, file_size_limit, nullif(allowed_mime_types, '{}')
from json_to_recordset(%(buckets)s::json) as declared (
  id text, public boolean, file_size_limit bigint, allowed_mime_types text[]
)
on conflict (id) do update set
  public = excluded.public,
  file_size_limit = excluded.file_size_limit,
  allowed_mime_types = excluded.allowed_mime_types,
  updated_at = now()
where (kept.public, kept.file_size_limit, kept.allowed_mime_types)
  is distinct from (excluded.public, excluded.file_size_limit, excluded.allowed_mime_types)
returning kept.id, kept.xmax = 0 as is_new
