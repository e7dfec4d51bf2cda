-- Each column by which a policy finds rows has an index: it comes first there, or after others that
-- the policy reads, or the index's condition names it.
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
      and (
        pg_get_expr(indpred, indrelid) ~ format('\m%s\M', attname)
        or attnum = any (indkey) and not exists (
          select from unnest(indkey) with ordinality as before (number, place)
          where place <= array_position(indkey::int2[], attnum) and number not in (
            select read.refobjsubid from pg_depend as read
            where read.classid = 'pg_policy'::regclass and read.objid = policies.oid
              and read.refclassid = 'pg_class'::regclass and read.refobjid = relation))
      )
  )
