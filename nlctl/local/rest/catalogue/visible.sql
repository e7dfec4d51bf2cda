-- What the current role may touch in one schema, by name and by id, and the schema's comment.
select
  (select coalesce(pg_catalog.json_agg(c.relname), '[]')::text
   from pg_catalog.pg_class as c
   where c.relnamespace = n.oid
     and c.relkind in ('r', 'v', 'm', 'f', 'p')
     and (
       pg_catalog.pg_has_role(c.relowner, 'usage')
       or pg_catalog.has_table_privilege(
         c.oid, 'select, insert, update, delete, truncate, references, trigger')
       or pg_catalog.has_any_column_privilege(c.oid, 'select, insert, update, references')))
    as relations,
  (select coalesce(pg_catalog.json_agg(p.oid::int8), '[]')::text
   from pg_catalog.pg_proc as p
   where p.pronamespace = n.oid and pg_catalog.has_function_privilege(p.oid, 'execute'))
    as functions,
  pg_catalog.obj_description(n.oid, 'pg_namespace') as comment
from pg_catalog.pg_namespace as n
where n.nspname = $1
