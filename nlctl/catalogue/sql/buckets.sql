select id, name, public as is_public, file_size_limit,
  coalesce(allowed_mime_types, '{}') as allowed_mime_types
from storage.buckets
order by id
