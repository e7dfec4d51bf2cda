-- A security definer function that people call passes all policies by, so it asks who calls.
select
  label as object,
  'People may call it, it passes all policies by, and it never asks who calls.' as detail,
  'Begin with one of app.require_…(), or let it run as its caller (security invoker).' as remedy
from functions
where is_exposed and is_definer and not is_trigger
  and (
    has_function_privilege('authenticated', oid, 'execute')
    or has_function_privilege('anon', oid, 'execute')
  )
  and body !~ '\mauth\.(uid|jwt|role|email)\s*\('
  and body !~ '\mapp\.(require_\w+|current_user_\w+|take_\w+)\s*\('
