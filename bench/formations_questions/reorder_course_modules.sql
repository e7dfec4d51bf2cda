-- Sample: a client turns his course round.
select c.author_id as caller, c.id as p_course_id,
  (select array_agg(id order by position desc) from public.course_modules where course_id = c.id)
    as p_module_ids
from public.courses as c where c.course_type = 'custom' order by random() limit 200
-- By hand
select id from public.courses
where id = %(p_course_id)s and author_id = %(caller)s and deleted_at is null
  and status <> 'archived'
for update;
update public.course_modules as m set position = place.number - 1
from unnest(%(p_module_ids)s::uuid[]) with ordinality as place (id, number)
where m.id = place.id and m.course_id = %(p_course_id)s and m.position <> place.number - 1;
select * from public.course_modules where course_id = %(p_course_id)s order by position
