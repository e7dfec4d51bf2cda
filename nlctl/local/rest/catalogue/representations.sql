-- Implicit casts between a domain and json or text: how its values are shown and understood.
select
  pg_catalog.format_type(c.castsource, null) as source,
  pg_catalog.format_type(c.casttarget, null) as target,
  c.castfunc::regproc::text as function
from pg_catalog.pg_cast as c
join pg_catalog.pg_type as source on source.oid = c.castsource
join pg_catalog.pg_type as target on target.oid = c.casttarget
where c.castcontext = 'i'
  and c.castmethod = 'f'
  and pg_catalog.has_function_privilege(c.castfunc, 'execute')
  and (
    source.typtype = 'd' and target.oid in ('json'::regtype, 'text'::regtype)
    or target.typtype = 'd' and source.oid in ('json'::regtype, 'text'::regtype))
