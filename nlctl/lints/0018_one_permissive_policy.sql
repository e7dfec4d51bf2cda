-- One permissive policy decides for a role and a command: several are all asked, and add up.
select
  format('table %s', relation::regclass) as object,
  format('At each %s by %s, all of these are asked: %s.', act,
    coalesce(role::regrole::text, 'anybody'), string_agg(name, ', ' order by name)) as detail,
  'Make them one policy, joined by or.' as remedy
from policies
cross join lateral unnest(
  case command
    when 'all' then array['select', 'insert', 'update', 'delete'] else array[command] end
) as act
cross join lateral (
  select nullif(each, 0) as role from unnest(roles) as each
) as named
where is_permissive and is_on_ours
group by relation, role, act
having count(*) > 1
