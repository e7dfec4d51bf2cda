-- No view carries the accounts of Auth to those who call the Data API.
select distinct
  label as object,
  'It shows auth.users to those who call the Data API.' as detail,
  'Copy what may be seen into a table of its own, by a trigger.' as remedy
from relations
join pg_rewrite on ev_class = relations.oid
join pg_depend on classid = 'pg_rewrite'::regclass and objid = pg_rewrite.oid
  and refobjid = to_regclass('auth.users')
where kind in ('v', 'm') and is_exposed
  and (
    has_any_column_privilege('anon', relations.oid, 'select')
    or has_any_column_privilege('authenticated', relations.oid, 'select')
  )
