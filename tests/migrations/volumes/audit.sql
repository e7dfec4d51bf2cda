insert into public.audit_logs (table_name, action, record_id, user_id, created_at)
select
  (array['profiles', 'themes', 'role_permissions', 'component_rules'])[1 + n % 4], 'UPDATE',
  (n % 30000)::text, person.id, now() - (200000 - n) * interval '5 minutes'
from generate_series(1, 200000) as n
join (select id, row_number() over () as number from public.profiles) as person
  on person.number = 1 + n % 20000;
insert into public.action_logs (actor_id, action, target_type, target_id, created_at)
select user_id, 'course.opened', table_name, record_id, created_at from public.audit_logs;
