-- What answers in a media type of its own: aggregates over rows, and functions, whose result is a
-- domain named like the type.
with media as (
  select
    oid,
    typnamespace,
    typname,
    pg_catalog.lower(typname) as asked,
    case typname when '*/*' then 'application/octet-stream' else pg_catalog.lower(typname) end
      as answered
  from pg_catalog.pg_type
  where typtype = 'd'
    and (typname ~* '^[a-z0-9.-]+/[a-z0-9.+-]+$' or typname = '*/*')
)
select
  n.nspname::text as schema,
  p.proname::text as name,
  of_home.nspname::text as of_schema,
  of_type.typname::text as of_name,
  media.asked,
  media.answered
from media
join pg_catalog.pg_proc as p on p.prorettype = media.oid and p.prokind = 'a' and p.pronargs = 1
join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
join pg_catalog.pg_type as of_type on of_type.oid = p.proargtypes[0]
join pg_catalog.pg_namespace as of_home on of_home.oid = of_type.typnamespace
where n.nspname = any (%(schemas)s)
  and (of_type.typname = 'anyelement' or of_type.typrelid <> 0)
union all
select
  home.nspname::text, media.typname::text, n.nspname::text, p.proname::text,
  media.asked, media.answered
from media
join pg_catalog.pg_proc as p on p.prorettype = media.oid and p.prokind = 'f' and not p.proretset
join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
join pg_catalog.pg_namespace as home on home.oid = media.typnamespace
where n.nspname = any (%(schemas)s)
