-- Primary and foreign keys, column by column, and whether a foreign key admits one row only.
-- Those of partitions are left out: their parents have them.
select
  k.conname::text as name,
  k.contype = 'f' as is_foreign,
  k.conrelid::int8 as relation_id,
  home.nspname::text as schema,
  c.relname::text as relation,
  k.conkey as numbers,
  (select pg_catalog.array_agg(a.attname::text order by place)
   from pg_catalog.unnest(k.conkey) with ordinality as _ (number, place)
   join pg_catalog.pg_attribute as a on a.attrelid = k.conrelid and a.attnum = number) as columns,
  k.confrelid::int8 as target_id,
  away.nspname::text as target_schema,
  target.relname::text as target,
  coalesce(k.confkey, '{}') as target_numbers,
  (select coalesce(pg_catalog.array_agg(a.attname::text order by place), '{}')
   from pg_catalog.unnest(k.confkey) with ordinality as _ (number, place)
   join pg_catalog.pg_attribute as a
     on a.attrelid = k.confrelid and a.attnum = number) as target_columns,
  exists (
    select from pg_catalog.pg_constraint as one
    where one.conrelid = k.conrelid
      and one.contype in ('p', 'u')
      and one.conkey @> k.conkey
      and one.conkey <@ k.conkey
  ) as is_unique
from pg_catalog.pg_constraint as k
join pg_catalog.pg_class as c on c.oid = k.conrelid
join pg_catalog.pg_namespace as home on home.oid = c.relnamespace
left join pg_catalog.pg_class as target on target.oid = k.confrelid
left join pg_catalog.pg_namespace as away on away.oid = target.relnamespace
where k.contype in ('p', 'f')
  and home.nspname <> 'pg_catalog'
  and (k.contype = 'p' or k.conparentid = 0)
order by k.conrelid, k.conname
