-- Since PostgreSQL 18 a column's NOT NULL is a constraint too; columns tell of it everywhere. What
-- a table only has from its parent is told there.
select c.conrelid as relation, c.conname as name, c.contype::text as kind,
  pg_get_constraintdef(c.oid) as definition, c.convalidated as is_valid,
  array(
    select a.attname from unnest(c.conkey) with ordinality k (number, place)
    join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.number
    order by k.place) as columns,
  case when c.confrelid <> 0 then c.confrelid::regclass::text end as references,
  array(
    select a.attname from unnest(c.confkey) with ordinality k (number, place)
    join pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.number
    order by k.place) as referenced_columns,
  obj_description(c.oid, 'pg_constraint') as comment
from pg_constraint c
join pg_class t on t.oid = c.conrelid
join pg_namespace n on n.oid = t.relnamespace
where n.nspname = any (%(schemas)s) and c.contype in ('c', 'f', 'p', 'u', 'x') and c.conislocal
order by c.conrelid, c.conname
