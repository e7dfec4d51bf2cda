-- What a policy reads of a row to find it begins an index, or stands in the condition of one.
select distinct
  label as object,
  format('No index begins with %I.', attname) as detail,
  format('create index on %s (%I);', relation::regclass, attname) as remedy
from policies
join pg_depend on classid = 'pg_policy'::regclass and objid = policies.oid
  and refclassid = 'pg_class'::regclass and refobjid = relation
join pg_attribute on attrelid = relation and attnum = refobjsubid
where is_on_ours and command <> 'insert'
  and not exists (
    select from pg_index
    where indrelid = relation and indisvalid
      and (indkey[0] = attnum or pg_get_expr(indpred, indrelid) ~ format('\m%s\M', attname))
  )
