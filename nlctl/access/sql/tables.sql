-- Every table and view that the Data API shows, with what each API role holds on its columns.
with roles as (
  select unnest(%(roles)s::text[]) as role
), unique_columns as (
  select indrelid, unnest(indkey::int2[]) as attnum from pg_index where indisunique
), foreign_keys as (
  select conrelid, conkey[1] as attnum, confrelid, confkey[1] as refers_to
  from pg_constraint where contype = 'f' and cardinality(conkey) = 1
)
select
  n.nspname as schema,
  c.relname as name,
  c.relkind in ('r', 'p') as is_table,
  coalesce((
    select array_agg(a.attname::text order by position)
    from pg_index i
    cross join unnest(i.indkey) with ordinality as part (attnum, position)
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = part.attnum
    where i.indrelid = c.oid and i.indisprimary
  ), '{}') as key,
  (
    select json_agg(json_build_object(
      'name', a.attname,
      'type', format_type(a.atttypid, a.atttypmod),
      'is_required', a.attnotnull,
      'has_default', a.atthasdef or a.attidentity <> '',
      'is_computed', a.attgenerated <> '' or a.attidentity = 'a',
      'is_unique', exists (
        select from unique_columns u where u.indrelid = c.oid and u.attnum = a.attnum),
      'refers_to', (
        select json_build_array(f.confrelid::regclass::text, there.attname)
        from foreign_keys f
        join pg_attribute there on there.attrelid = f.confrelid and there.attnum = f.refers_to
        where f.conrelid = c.oid and f.attnum = a.attnum
        limit 1),
      'words', (
        select json_agg(word[1])
        from pg_constraint k
        cross join regexp_matches(pg_get_constraintdef(k.oid), '''([^'']*)''::text', 'g') as word
        where k.conrelid = c.oid and k.contype = 'c' and k.conkey = array[a.attnum]),
      'insert', (
        select json_agg(role) from roles
        where has_column_privilege(role, c.oid, a.attnum, 'insert')),
      'update', (
        select json_agg(role) from roles
        where has_column_privilege(role, c.oid, a.attnum, 'update'))
    ) order by a.attnum)
    from pg_attribute a
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  ) as columns,
  array(
    select role || ' select' from roles where has_any_column_privilege(role, c.oid, 'select')
    union all
    select role || ' insert' from roles where has_any_column_privilege(role, c.oid, 'insert')
    union all
    select role || ' update' from roles where has_any_column_privilege(role, c.oid, 'update')
    union all
    select role || ' delete' from roles where has_table_privilege(role, c.oid, 'delete')
  ) as grants
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm') and not c.relispartition
  and (
    n.nspname = any (%(schemas)s)
    or (n.nspname, c.relname) in (('storage', 'objects'), ('realtime', 'messages'))
  )
  and not exists (select from pg_depend where objid = c.oid and deptype = 'e')
order by n.nspname, c.relname
