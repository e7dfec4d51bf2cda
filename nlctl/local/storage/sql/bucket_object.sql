-- Whether the bucket is public, and if it is, the object in it.
select
  coalesce(public, false)::text,
  case when public then (
    select {row_of_object}
    from storage.objects
    where bucket_id = $1 and name = $2
  ) end
from storage.buckets
where id = $1
