-- Every relation of the database outside the system's schemas, with its primary key.
-- Columns are told for exposed schemas only; the key counts everywhere, for junction tables.
with recursive
bases (oid, base) as (
  select oid, oid from pg_catalog.pg_type where typtype <> 'd'
  union all
  select domain.oid, bases.base
  from pg_catalog.pg_type as domain
  join bases on bases.oid = domain.typbasetype
  where domain.typtype = 'd'
),
columns as (
  select
    a.attrelid,
    a.attname,
    a.attnum,
    pg_catalog.col_description(a.attrelid, a.attnum) as description,
    not (a.attnotnull or t.typtype = 'd' and t.typnotnull) as is_nullable,
    case
      when base.typnamespace = 'pg_catalog'::regnamespace
        then pg_catalog.format_type(base.oid, null)
      else pg_catalog.format_type(a.atttypid, a.atttypmod)
    end as type,
    pg_catalog.format_type(a.atttypid, a.atttypmod) as nominal_type,
    case
      when t.typtype = 'd' then nullif(t.typtypmod, -1)
      else nullif(a.atttypmod, -1)
    end as modifier,
    case
      when a.attidentity = 'd'
        then pg_catalog.format('nextval(%%L)', (
          select objid::regclass
          from pg_catalog.pg_depend
          where refclassid = 'pg_class'::regclass and refobjid = a.attrelid
            and refobjsubid = a.attnum and deptype = 'i' and classid = 'pg_class'::regclass))
      when a.attgenerated <> '' then null
      when d.adbin is null and t.typtype = 'd' then pg_catalog.pg_get_expr(t.typdefaultbin, 0)
      else pg_catalog.pg_get_expr(d.adbin, d.adrelid)
    end as default_value,
    base.oid as base
  from pg_catalog.pg_attribute as a
  join pg_catalog.pg_class as c on c.oid = a.attrelid
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
  join pg_catalog.pg_type as t on t.oid = a.atttypid
  join bases on bases.oid = t.oid
  join pg_catalog.pg_type as base on base.oid = bases.base
  left join pg_catalog.pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
  where n.nspname = any (%(schemas)s)
    and c.relkind in ('r', 'v', 'm', 'f', 'p')
    and a.attnum > 0
    and not a.attisdropped
),
described as (
  select
    attrelid,
    pg_catalog.json_agg(pg_catalog.json_build_object(
      'name', attname,
      'description', description,
      'is_nullable', is_nullable,
      'type', type,
      'nominal_type', nominal_type,
      'max_length',
      case when base in ('bpchar'::regtype, 'varchar'::regtype) then modifier - 4 end,
      'default', default_value,
      'labels',
      (select coalesce(pg_catalog.json_agg(enumlabel order by enumsortorder), '[]')
       from pg_catalog.pg_enum where enumtypid = base)
    ) order by attnum) as columns
  from columns
  group by attrelid
),
keys as (
  select
    k.conrelid,
    pg_catalog.array_agg(a.attname::text order by a.attname) as columns
  from pg_catalog.pg_constraint as k
  join pg_catalog.pg_attribute as a on a.attrelid = k.conrelid and a.attnum = any (k.conkey)
  where k.contype = 'p'
  group by k.conrelid
)
select
  n.nspname::text as schema,
  c.relname::text as name,
  pg_catalog.obj_description(c.oid, 'pg_class') as description,
  c.relkind in ('v', 'm') as is_view,
  case
    when c.relkind in ('r', 'p') then 28
    when c.relkind in ('v', 'f') then pg_catalog.pg_relation_is_updatable(c.oid, true)
    else 0
  end as commands,
  coalesce(keys.columns, '{}') as key,
  coalesce(described.columns, '[]') as columns
from pg_catalog.pg_class as c
join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
left join keys on keys.conrelid = c.oid
left join described on described.attrelid = c.oid
where c.relkind in ('r', 'v', 'm', 'f', 'p')
  and not c.relispartition
  and n.nspname not in ('pg_catalog', 'information_schema')
  and n.nspname not like 'pg\_t%%'
order by n.nspname, c.relname
