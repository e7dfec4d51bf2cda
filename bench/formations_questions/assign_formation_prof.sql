-- Sample: an admin gives a formation to another prof.
select bench.id('person', 2) as caller, f.id as p_formation_id, bench.id('person', staff)
  as p_prof_id
from bench.volume, public.user_formations as f
where f.ended_at is null and f.prof_id <> bench.id('person', staff) order by random() limit 200
-- By hand
select id from public.profiles
where id = %(p_prof_id)s and user_type_id = 'prof' and status = 'active' for share;
with before as (select prof_id from public.user_formations where id = %(p_formation_id)s),
formation as (
  update public.user_formations set prof_id = %(p_prof_id)s, updated_at = clock_timestamp()
  where id = %(p_formation_id)s returning *
),
noted as (
  insert into public.audit_logs (table_name, action, record_id, user_id, old_data, new_data)
  select 'user_formations', 'UPDATE', id, %(caller)s,
    jsonb_build_object('prof_id', before.prof_id), jsonb_build_object('prof_id', formation.prof_id)
  from formation, before
)
select * from formation
