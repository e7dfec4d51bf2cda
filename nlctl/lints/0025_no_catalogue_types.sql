-- No column points into the catalogue by number: pg_upgrade refuses such a database.
select
  label as object,
  format('pg_upgrade cannot carry column %I over, of type %s.', attname, atttypid::regtype) as detail,
  'Keep the name, as text.' as remedy
from relations
join pg_attribute on attrelid = oid and attnum > 0 and not attisdropped
where kind in ('r', 'p', 'm')
  and atttypid in (
    'regcollation'::regtype, 'regconfig'::regtype, 'regdictionary'::regtype,
    'regnamespace'::regtype, 'regoper'::regtype, 'regoperator'::regtype, 'regproc'::regtype,
    'regprocedure'::regtype
  )
