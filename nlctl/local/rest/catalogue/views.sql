-- Views whose columns may be keys of the tables beneath, with their definitions as parsed trees.
select
  c.oid::int8 as id,
  n.nspname::text as schema,
  c.relname::text as name,
  (select pg_catalog.array_agg(a.attname::text order by a.attnum)
   from pg_catalog.pg_attribute as a
   where a.attrelid = c.oid and a.attnum > 0) as columns,
  r.ev_action::text as tree
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
join pg_catalog.pg_rewrite as r on r.ev_class = c.oid and r.ev_type = '1'
where c.relkind in ('v', 'm')
  and n.nspname = any (%(schemas)s)
  and n.nspname not in ('pg_catalog', 'information_schema')
