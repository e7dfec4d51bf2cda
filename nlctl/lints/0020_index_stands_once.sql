-- No index is there twice: each is paid for at every write.
select
  format('index %s', later.indexrelid::regclass) as object,
  format('It is the same as %s.', earlier.indexrelid::regclass) as detail,
  format('drop index %s;', later.indexrelid::regclass) as remedy
from pg_index as later
join tables on tables.oid = later.indrelid
join pg_index as earlier on earlier.indrelid = later.indrelid
  and earlier.indexrelid < later.indexrelid
  and (
    earlier.indkey, earlier.indclass, earlier.indcollation, earlier.indoption::text,
    coalesce(pg_get_expr(earlier.indexprs, earlier.indrelid), ''),
    coalesce(pg_get_expr(earlier.indpred, earlier.indrelid), '')
  ) = (
    later.indkey, later.indclass, later.indcollation, later.indoption::text,
    coalesce(pg_get_expr(later.indexprs, later.indrelid), ''),
    coalesce(pg_get_expr(later.indpred, later.indrelid), '')
  )
where not later.indisprimary
  and not exists (select from pg_constraint where conindid = later.indexrelid)
