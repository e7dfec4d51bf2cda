delete from storage.buckets
where id = $1
returning id
