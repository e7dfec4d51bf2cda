-- Functions that the Data API could call, overloads in the order of their signatures.
select
  n.nspname as schema,
  p.proname as name,
  pg_get_function_arguments(p.oid) as signature,
  pg_get_function_result(p.oid) as result,
  p.prorettype::bigint as return_type_id,
  p.proretset as is_set,
  p.proretset and p.prorows > 1 as returns_many,
  coalesce(arguments.list, '[]') as arguments
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
left join lateral (
  select
    json_agg(
      json_build_object(
        'mode', coalesce(p.proargmodes[i], 'i'),
        'name', coalesce(p.proargnames[i], ''),
        'type_id', type_id::bigint,
        'has_default', i > p.pronargs - p.pronargdefaults and i <= p.pronargs
      )
      order by i
    ) as list
  from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) with ordinality a(type_id, i)
) arguments on true
where n.nspname = any (%(schemas)s)
  and p.prokind = 'f'
  and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
