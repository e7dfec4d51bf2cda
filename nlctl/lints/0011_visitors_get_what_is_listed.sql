-- Visitors hold nothing but what the allow-list names.
select
  label as object,
  format('%s may %s.', who, string_agg(distinct privilege, ', ')) as detail,
  format('revoke all on %s from %s;', named, lower(who)) as remedy
from (
  select
    label, format('%s %s', case kind when 'S' then 'sequence' else 'table' end, oid::regclass) as named,
    grantee, privilege_type as privilege
  from relations, aclexplode(acl)
  union all
  select
    label, format('table %s', relations.oid::regclass), held.grantee,
    format('%s (%I)', held.privilege_type, attname)
  from relations
  join pg_attribute on attrelid = relations.oid and not attisdropped,
  aclexplode(attacl) as held
  union all
  -- What PUBLIC executes has a lint of its own.
  select label, format('routine %s', oid::regprocedure), grantee, privilege_type
  from functions, aclexplode(acl)
  where is_exposed and grantee <> 0
) as granted
cross join lateral (
  select case grantee when 0 then 'PUBLIC' else 'anon' end as who
) as holder
where grantee in (0, to_regrole('anon'))
group by label, named, who
