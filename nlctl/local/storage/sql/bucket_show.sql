-- The type is told by listings only.
select ({row_of_bucket}::jsonb - 'type')::text
from storage.buckets
where id = $1
