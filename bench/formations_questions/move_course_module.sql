-- Sample: a client drags the fifth module of his course to the twelfth place.
select c.author_id as caller, m.id as p_course_module_id, 11 as p_position, c.id as course_id
from public.courses as c
join public.course_modules as m on m.course_id = c.id and m.position = 4
where c.course_type = 'custom' order by random() limit 200
-- By hand
select id from public.courses
where id = %(course_id)s and author_id = %(caller)s and deleted_at is null
  and status <> 'archived'
for update;
update public.course_modules as m
set position = case when m.id = moved.id then %(p_position)s else m.position - 1 end
from public.course_modules as moved
where moved.id = %(p_course_module_id)s and m.course_id = %(course_id)s
  and m.position between moved.position and %(p_position)s;
select * from public.course_modules where course_id = %(course_id)s order by position
