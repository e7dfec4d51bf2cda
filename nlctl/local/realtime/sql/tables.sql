-- What each of some roles may read of each of some tables, as of now.
select
  c.oid::bigint as oid,
  space.nspname as schema,
  c.relname as name,
  r.rolname as role,
  c.relrowsecurity as has_policies,
  has_schema_privilege(r.oid, c.relnamespace, 'usage') as is_open,
  (
    select coalesce(json_agg(json_build_object(
      'name', a.attname,
      'type', t.typname,
      'is_json', coalesce(nullif(t.typbasetype, 0), t.oid) in ('json'::regtype, 'jsonb'::regtype),
      'is_key', coalesce(a.attnum = any(k.conkey), false),
      'is_readable', has_column_privilege(r.oid, c.oid, a.attnum, 'select')
    ) order by a.attnum), '[]')
    from pg_catalog.pg_attribute as a
    join pg_catalog.pg_type as t on t.oid = a.atttypid
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  ) as columns
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as space on space.oid = c.relnamespace
cross join pg_catalog.pg_roles as r
left join pg_catalog.pg_constraint as k on k.conrelid = c.oid and k.contype = 'p'
where c.oid = any(%(tables)s::oid[]) and r.rolname = any(%(roles)s::text[])
