-- A policy that lets people write looks at the row or at the writer.
select
  label as object,
  'It lets people write whatever they like.' as detail,
  'Say whose rows, or who may write.' as remedy
from policies
where is_permissive and command <> 'select' and is_on_ours
  and (roles = '{0}' or roles && array[to_regrole('anon'), to_regrole('authenticated')]::oid[])
  and (
    coalesce(writes, reads, 'true') ~ '^\(*(true|1 = 1)\)*$'
    or (command <> 'insert' and coalesce(reads, 'true') ~ '^\(*(true|1 = 1)\)*$')
  )
