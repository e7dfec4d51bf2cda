-- What the seeded tables are made of: columns, usable upsert keys, the tables they point at.
with keys as (
  select unique_index.indrelid, jsonb_agg(
    array(
      select attribute.attname
      from unnest(unique_index.indkey[0:unique_index.indnkeyatts - 1]) as member (number)
      join pg_attribute as attribute
        on attribute.attrelid = unique_index.indrelid and attribute.attnum = member.number
    )
  ) as named
  from pg_index as unique_index
  where unique_index.indisunique and unique_index.indimmediate and unique_index.indisvalid
    and unique_index.indpred is null and unique_index.indexprs is null
  group by unique_index.indrelid
)
select
  wanted.name,
  array(
    select attribute.attname::text
    from pg_attribute as attribute
    where attribute.attrelid = relation.oid and attribute.attnum > 0 and not attribute.attisdropped
      and attribute.attgenerated = ''
    order by attribute.attnum
  ) as columns,
  coalesce((select named from keys where indrelid = relation.oid), '[]') as keys,
  (
    select array_agg(attribute.attname::text order by member.position)
    from pg_index as primary_index
    cross join unnest(primary_index.indkey::int2[]) with ordinality as member (number, position)
    join pg_attribute as attribute
      on attribute.attrelid = relation.oid and attribute.attnum = member.number
    where primary_index.indrelid = relation.oid and primary_index.indisprimary
  ) as primary_key,
  array(
    select distinct parent_schema.nspname || '.' || parent.relname
    from pg_constraint as reference
    join pg_class as parent on parent.oid = reference.confrelid
    join pg_namespace as parent_schema on parent_schema.oid = parent.relnamespace
    where reference.conrelid = relation.oid and reference.contype = 'f'
  ) as parents,
  array(
    select attribute.attname::text
    from pg_attribute as attribute
    join pg_attrdef as initial
      on initial.adrelid = attribute.attrelid and initial.adnum = attribute.attnum
    where attribute.attrelid = relation.oid and attribute.attgenerated = ''
      and pg_get_expr(initial.adbin, initial.adrelid) ~* '^(now|clock_timestamp)\(\)$'
  ) as clocks,
  coalesce((
    select jsonb_agg(
      jsonb_build_array(
        attribute.attname, parent_schema.nspname || '.' || parent.relname, target.attname,
        coalesce(keys.named, '[]')
      )
    )
    from pg_constraint as reference
    join pg_class as parent on parent.oid = reference.confrelid
    join pg_namespace as parent_schema on parent_schema.oid = parent.relnamespace
    join pg_attribute as attribute
      on attribute.attrelid = relation.oid and attribute.attnum = reference.conkey[1]
    join pg_attribute as target
      on target.attrelid = parent.oid and target.attnum = reference.confkey[1]
    left join keys on keys.indrelid = parent.oid
    where reference.conrelid = relation.oid and reference.contype = 'f'
      and cardinality(reference.conkey) = 1
  ), '[]') as references
from unnest(%(tables)s::text[]) as wanted (name)
join pg_namespace as space on space.nspname = split_part(wanted.name, '.', 1)
join pg_class as relation
  on relation.relnamespace = space.oid and relation.relname = split_part(wanted.name, '.', 2)
where relation.relkind in ('r', 'p')
