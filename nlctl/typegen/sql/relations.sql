-- Tables, views and foreign tables that the caller may use, with what an insert may say of each column.
select
  c.oid::bigint as id,
  n.nspname as schema,
  c.relname as name,
  c.relkind in ('v', 'm') as is_view,
  c.relkind in ('r', 'p', 'f') or pg_relation_is_updatable(c.oid, true) & 8 = 8 as takes_inserts,
  c.relkind in ('r', 'p', 'f') or pg_relation_is_updatable(c.oid, true) & 4 = 4 as takes_updates,
  coalesce(columns.list, '[]') as columns,
  (select r.ev_action::text from pg_rewrite r where r.ev_class = c.oid and r.rulename = '_RETURN')
    as definition
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
left join lateral (
  select
    json_agg(
      json_build_object(
        'number', a.attnum,
        'name', a.attname,
        'type_id', coalesce(nullif(t.typbasetype, 0), t.oid)::bigint,
        'is_nullable', not (a.attnotnull or (t.typtype = 'd' and t.typnotnull)),
        'has_default', a.atthasdef or a.attidentity <> '',
        'is_identity', a.attidentity <> '',
        'is_read_only', a.attgenerated <> '' or a.attidentity = 'a' or (
          c.relkind = 'v'
          and not pg_column_is_updatable(c.oid, a.attnum, false)
          and not rewrites.any
        )
      )
    ) as list
  from pg_attribute a
  join pg_type t on t.oid = a.atttypid
  cross join lateral (
    -- A trigger or a rule in place of the view's own writes takes whole rows.
    select exists (
      select from pg_trigger g
      where g.tgrelid = c.oid and g.tgtype & 64 <> 0 and g.tgtype & 20 <> 0 and not g.tgisinternal
    ) or exists (
      select from pg_rewrite w
      where w.ev_class = c.oid and w.is_instead and w.ev_type in ('2', '3')
        and w.ev_qual::text = '<>'
    ) as any
  ) rewrites
  where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
) columns on true
where n.nspname = any (%(schemas)s)
  and c.relkind in ('r', 'p', 'f', 'v', 'm')
  and (
    pg_has_role(c.relowner, 'usage')
    or has_table_privilege(c.oid, 'select, insert, update, delete, truncate, references, trigger')
    or has_any_column_privilege(c.oid, 'select, insert, update, references')
  )
