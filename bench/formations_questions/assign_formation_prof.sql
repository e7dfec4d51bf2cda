-- Sample: an admin gives a formation to another prof.
select bench.id('person', 2) as caller, f.id as p_formation_id, bench.id('person', staff)
  as p_prof_id
from bench.volume, public.user_formations as f
where f.ended_at is null and f.prof_id <> bench.id('person', staff) order by random() limit 200
-- By hand
select id from public.profiles
where id = %(p_prof_id)s and user_type_id = 'prof' and status = 'active' for share;
update public.user_formations set prof_id = %(p_prof_id)s where id = %(p_formation_id)s returning *
