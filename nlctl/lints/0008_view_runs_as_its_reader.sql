-- A view that the Data API shows reads with its reader's rights; else it passes all policies by.
select
  label as object,
  'It reads with its owner''s rights, past every policy.' as detail,
  format('alter view %s set (security_invoker = true);', oid::regclass) as remedy
from relations
where kind = 'v'
  and (
    is_exposed
    or has_any_column_privilege('anon', oid, 'select')
    or has_any_column_privilege('authenticated', oid, 'select')
  )
  and not exists (
    select from pg_options_to_table(options)
    where option_name = 'security_invoker' and option_value::boolean
  )
