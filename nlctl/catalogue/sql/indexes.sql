-- Without those that a partition only has from its table.
select x.indrelid as relation, i.relname as name, pg_get_indexdef(x.indexrelid) as definition,
  x.indisunique as is_unique, x.indisprimary as is_primary, x.indisvalid as is_valid,
  exists (
    select from pg_constraint c
    where c.conindid = x.indexrelid and c.conrelid = x.indrelid and c.contype in ('p', 'u', 'x')
  ) as is_of_constraint,
  array(
    select case x.indkey[k - 1] when 0 then pg_get_indexdef(x.indexrelid, k, false)
      else (select attname from pg_attribute where attrelid = x.indrelid and attnum = x.indkey[k - 1])
    end
    from generate_series(1, x.indnkeyatts) k order by k) as columns,
  pg_get_expr(x.indpred, x.indrelid) as predicate,
  obj_description(x.indexrelid, 'pg_class') as comment
from pg_index x
join pg_class i on i.oid = x.indexrelid
join pg_class t on t.oid = x.indrelid
join pg_namespace n on n.oid = t.relnamespace
where n.nspname = any (%(schemas)s)
  and not exists (select from pg_inherits h where h.inhrelid = x.indexrelid)
order by x.indrelid, i.relname
