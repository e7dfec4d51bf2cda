-- What does not depend on the row is asked once for each statement, inside (select …).
select
  label as object,
  format('It asks %s more than once.', string_agg(distinct called.name, ' and ')) as detail,
  'Write (select f()) around the call itself where it does not depend on the row, and '
  '= any (array(select f())) where it answers which rows are meant.' as remedy
from policies
join asked_of_each_row as asked on asked.policy = policies.oid
cross join lateral (
  select p.oid::regproc::text as name
  from pg_depend
  join pg_proc as p on refclassid = 'pg_proc'::regclass and p.oid = refobjid
  join pg_namespace as n on n.oid = p.pronamespace
  where classid = 'pg_policy'::regclass and objid = policies.oid
    and p.provolatile <> 'i'
    and strpos(asked.expression, format('%I.%I[', n.nspname, p.proname)) > 0
  union all
  -- In a subquery too, these are asked of each row that it reads.
  select name
  from unnest('{auth.uid,auth.jwt,auth.role,auth.email,current_setting}'::text[]) as name
  where code ~ format('\m%s\(', name)
    and code !~ format('SELECT %s\(', name)
  union all
  select 'current_setting' where asked.expression ~ '\mcurrent_setting\['
) as called
group by label
