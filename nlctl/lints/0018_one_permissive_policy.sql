-- One permissive policy decides for a role and a command: several are all asked, and add up.
select
  format('table %s', relation::regclass) as object,
  format('At each %s by %s, all of these are asked: %s.', act, rolname,
    string_agg(name, ', ' order by name)) as detail,
  'Make them one policy, joined by or.' as remedy
from policies
cross join lateral unnest(
  case command
    when 'all' then array['select', 'insert', 'update', 'delete'] else array[command] end
) as act
join pg_roles on pg_roles.oid = any (roles)
  or (roles = '{0}' and rolname in ('anon', 'authenticated'))
where is_permissive and is_on_ours and not rolbypassrls
group by relation, rolname, act
having count(*) > 1
