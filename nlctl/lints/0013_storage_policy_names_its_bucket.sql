-- A policy on storage.objects is about one bucket; without it, it is about those to come as well.
select
  label as object,
  'It does not say which bucket it is about.' as detail,
  'Begin it with bucket_id = ''…'' and.' as remedy
from policies
join asked_of_each_row on policy = oid
where relation = to_regclass('storage.objects') and is_permissive
  and expression !~ '\mbucket_id\M'
