-- EXECUTE is granted by name: what PUBLIC may call, visitors may call.
select
  label as object,
  'EXECUTE is left to PUBLIC, and so to visitors.' as detail,
  format('revoke execute on routine %s from public;', oid::regprocedure) as remedy
from functions
where exists (
  select from aclexplode(coalesce(acl, acldefault('f', owner))) as held where held.grantee = 0
)
