-- What can have no policies is not shown by the Data API: materialized views and foreign tables.
select
  label as object,
  'The Data API shows it, and it can have no policies.' as detail,
  format('revoke all on %s from anon, authenticated;', oid::regclass) as remedy
from relations
where kind in ('m', 'f') and is_exposed
  and (
    has_any_column_privilege('anon', oid, 'select')
    or has_any_column_privilege('authenticated', oid, 'select')
  )
