-- Every type, since a column of any schema may use it; names as this session would write them.
select
  t.oid::bigint as id,
  n.nspname as schema,
  t.typname as name,
  format_type(t.oid, null) as format,
  (select e.oid::bigint from pg_type e where e.typarray = t.oid) as element_id,
  nullif(t.typrelid, 0)::bigint as relation_id,
  coalesce(
    (select array_agg(e.enumlabel::text order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid),
    '{}'
  ) as labels,
  coalesce(
    (
      select json_agg(json_build_array(a.attname, a.atttypid::bigint) order by a.attnum)
      from pg_attribute a
      where a.attrelid = c.oid and c.relkind = 'c' and a.attnum > 0 and not a.attisdropped
    ),
    '[]'
  ) as attributes
from pg_type t
join pg_namespace n on n.oid = t.typnamespace
left join pg_class c on c.oid = t.typrelid
