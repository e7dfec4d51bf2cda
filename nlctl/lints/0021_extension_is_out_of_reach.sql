-- Extensions live in a schema that the Data API does not show.
select
  format('extension %I', extname) as object,
  format('Its functions are in %s, which the Data API shows.', nspname) as detail,
  format('alter extension %I set schema extensions;', extname) as remedy
from pg_extension
join ours on ours.oid = extnamespace and is_exposed
cross join lateral (select ours.name as nspname) as named
