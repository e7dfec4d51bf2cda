-- Functions of the given schemas that can be called by name. Several unnamed arguments cannot be
-- told apart; a single one takes the whole body, when its type can.
with recursive
bases (oid, base) as (
  select oid, oid from pg_catalog.pg_type where typtype <> 'd'
  union all
  select domain.oid, bases.base
  from pg_catalog.pg_type as domain
  join bases on bases.oid = domain.typbasetype
  where domain.typtype = 'd'
),
arguments as (
  select
    p.oid,
    pg_catalog.json_agg(pg_catalog.json_build_array(
      coalesce(argument.name, ''),
      pg_catalog.format_type(argument.type, null),
      -- Declared without a length, these two would cut values to one character.
      case argument.type
        when 'bit'::regtype then 'bit varying'
        when 'bit[]'::regtype then 'bit varying[]'
        when 'character'::regtype then 'character varying'
        when 'character[]'::regtype then 'character varying[]'
        else pg_catalog.format_type(argument.type, null)
      end,
      argument.place <= p.pronargs - p.pronargdefaults,
      coalesce(argument.mode = 'v', false)
    ) order by argument.place) as arguments,
    case pg_catalog.count(*) - pg_catalog.count(nullif(argument.name, ''))
      when 0 then true
      when 1 then pg_catalog.count(*) = 1
        and pg_catalog.min(argument.type::int8) in (
          'bytea'::regtype::int8, 'json'::regtype::int8, 'jsonb'::regtype::int8,
          'text'::regtype::int8, 'xml'::regtype::int8)
      else false
    end as is_callable
  from pg_catalog.pg_proc as p
  cross join lateral pg_catalog.unnest(p.proargtypes::oid[])
    with ordinality as input (type, place)
  -- Names and modes are told for every argument, outputs included, types for inputs only.
  cross join lateral (
    select input.type, input.place, named.name, named.mode
    from (
      select
        p.proargnames[number] as name,
        p.proargmodes[number] as mode,
        pg_catalog.row_number() over (order by number) as place
      from pg_catalog.generate_series(1,
        coalesce(pg_catalog.cardinality(p.proallargtypes), p.pronargs)) as number
      where coalesce(p.proargmodes[number], 'i') in ('i', 'b', 'v')
    ) as named
    where named.place = input.place
  ) as argument
  group by p.oid
)
select
  p.oid::int8 as id,
  n.nspname::text as schema,
  p.proname::text as name,
  pg_catalog.obj_description(p.oid, 'pg_proc') as description,
  coalesce(arguments.arguments, '[]') as arguments,
  home.nspname::text as type_schema,
  coalesce(composite.relname, t.typname)::text as type_name,
  p.proretset as returns_set,
  t.typtype = 'c' or coalesce(p.proargmodes && '{t,b,o}', false) as returns_rows,
  p.provolatile as volatility,
  p.provariadic > 0 as is_variadic,
  coalesce(p.proconfig, '{}') as settings,
  case
    when l.lanname in ('sql', 'plpgsql') and p.prosrc ~* '\m(update|delete)\M' then p.prosrc
    else ''
  end as source
from pg_catalog.pg_proc as p
join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
join pg_catalog.pg_language as l on l.oid = p.prolang
join bases on bases.oid = p.prorettype
join pg_catalog.pg_type as t on t.oid = bases.base
join pg_catalog.pg_namespace as home on home.oid = t.typnamespace
left join pg_catalog.pg_class as composite on composite.oid = t.typrelid
left join arguments on arguments.oid = p.oid
where n.nspname = any (%(schemas)s)
  and p.prokind = 'f'
  and t.oid not in ('trigger'::regtype, 'event_trigger'::regtype)
  and coalesce(arguments.is_callable, true)
order by n.nspname, p.proname, p.pronargs, p.oid
