delete from storage.objects
where bucket_id = $1
returning version
