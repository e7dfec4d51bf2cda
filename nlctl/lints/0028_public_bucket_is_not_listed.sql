-- A public bucket gives a file to whoever has its address, and to nobody the list of them.
select
  label as object,
  format('Whoever it lets in can list all of the public bucket %s.', shown.id) as detail,
  'Drop it, or say whose objects: addresses work without.' as remedy
from policies
join storage.buckets as shown on shown.public
where relation = 'storage.objects'::regclass and command in ('select', 'all') and is_permissive
  and (roles = '{0}' or roles && array[to_regrole('anon'), to_regrole('authenticated')]::oid[])
  and (
    coalesce(reads, 'true') ~ '^\(*true\)*$'
    or reads = format('(bucket_id = %L::text)', shown.id)
  )
