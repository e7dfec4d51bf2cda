-- Every function that the Data API shows, with who may execute it.
select
  n.nspname as schema,
  p.proname as name,
  pg_get_function_identity_arguments(p.oid) as arguments,
  count(*) over (partition by p.pronamespace, p.proname) > 1 as is_overloaded,
  (
    select coalesce(
      json_agg(json_build_array(name, format_type(type, null)) order by position), '[]')
    from unnest(p.proargtypes, p.proargnames[:p.pronargs]) with ordinality
      as argument (type, name, position)
    where position <= p.pronargs - p.pronargdefaults
  ) as required,
  p.proisstrict as is_strict,
  case when p.proargtypes[0] = 'uuid'::regtype then p.proargnames[1] end as first,
  (
    select format('%%s.%%s', c.relnamespace::regnamespace, c.relname)
    from pg_type t join pg_class c on c.oid = t.typrelid
    where t.oid = p.prorettype
  ) as returns,
  array(
    select role from unnest(%(roles)s::text[]) as role
    where has_function_privilege(role, p.oid, 'execute')
      and has_schema_privilege(role, n.oid, 'usage')
  ) as executors
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
where n.nspname = any (%(schemas)s)
  and p.prokind = 'f'
  and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
  and not exists (select from pg_depend where objid = p.oid and deptype = 'e')
order by n.nspname, p.proname, 3
