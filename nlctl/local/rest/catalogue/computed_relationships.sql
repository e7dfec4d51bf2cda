-- Functions from one row of a relation to rows of a relation: embeds that somebody wrote.
select
  n.nspname::text as schema,
  p.proname::text as name,
  from_home.nspname::text as relation_schema,
  from_type.typname::text as relation,
  to_home.nspname::text as target_schema,
  to_type.typname::text as target,
  not p.proretset or p.prorows = 1 as is_to_one
from pg_catalog.pg_proc as p
join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
join pg_catalog.pg_type as from_type on from_type.oid = p.proargtypes[0]
join pg_catalog.pg_namespace as from_home on from_home.oid = from_type.typnamespace
join pg_catalog.pg_type as to_type on to_type.oid = p.prorettype
join pg_catalog.pg_namespace as to_home on to_home.oid = to_type.typnamespace
where p.pronargs = 1
  and n.nspname = any (%(schemas)s)
  and exists (
    select from pg_catalog.pg_class
    where reltype = from_type.oid and relkind in ('r', 'v', 'm', 'f', 'p'))
  and exists (
    select from pg_catalog.pg_class
    where reltype = to_type.oid and relkind in ('r', 'v', 'm', 'f', 'p'))
