-- A foreign key is found by an index, or each delete of a parent reads all of its children.
select
  format('constraint %I on %s', conname, conrelid::regclass) as object,
  format('No index begins with %s.', named.columns) as detail,
  format('create index on %s (%s);', conrelid::regclass, named.columns) as remedy
from pg_constraint
join tables on tables.oid = conrelid
cross join lateral (
  select string_agg(quote_ident(attname), ', ' order by position) as columns
  from unnest(conkey) with ordinality as key (number, position)
  join pg_attribute on attrelid = conrelid and attnum = number
) as named
where contype = 'f' and conparentid = 0
  and not exists (
    select from pg_index
    where indrelid = conrelid and indisvalid
      and (indpred is null or pg_get_expr(indpred, indrelid) ~ '^\(\w+ IS NOT NULL\)$')
      and (indkey::int2[])[0:cardinality(conkey) - 1] @> conkey
  )
