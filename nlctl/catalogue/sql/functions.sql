-- Without the constructors that come with a range type.
select n.nspname as schema, p.proname as name, p.prokind::text as kind,
  p.oid::regprocedure::text as identity,
  pg_get_function_identity_arguments(p.oid) as signature,
  pg_get_function_arguments(p.oid) as arguments,
  pg_get_function_result(p.oid) as returns,
  p.proretset as returns_set,
  l.lanname as language,
  case p.provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end
    as volatility,
  case p.proparallel when 's' then 'safe' when 'r' then 'restricted' else 'unsafe' end as parallel,
  p.prosecdef as is_security_definer, p.proisstrict as is_strict, p.proleakproof as is_leakproof,
  p.procost as cost, p.prorows as rows,
  coalesce(p.proconfig, '{}') as settings,
  case when p.prokind = 'a' then (
    select format('sfunc = %%s, stype = %%s, finalfunc = %%s, initcond = %%L',
      aggtransfn, format_type(aggtranstype, null), aggfinalfn, agginitval)
    from pg_aggregate where aggfnoid = p.oid)
  else coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) end as body,
  case when p.prokind <> 'a' then pg_get_functiondef(p.oid) end as definition,
  pg_get_userbyid(p.proowner) as owner,
  coalesce(p.proacl, acldefault('f', p.proowner))::text[] as grants,
  obj_description(p.oid, 'pg_proc') as comment
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
join pg_language l on l.oid = p.prolang
where n.nspname = any (%(schemas)s)
  and not exists (
    select from pg_depend d
    where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype in ('e', 'i'))
order by n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)
