-- The bucket, held until the transaction ends, and whether anything is in it.
select exists (select from storage.objects as o where o.bucket_id = b.id)::text
from storage.buckets as b
where b.id = $1
for update
