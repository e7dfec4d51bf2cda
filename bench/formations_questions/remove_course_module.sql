-- Sample: a client takes the fifth module out of his course.
select c.author_id as caller, m.id as p_course_module_id, c.id as course_id
from public.courses as c
join public.course_modules as m on m.course_id = c.id and m.position = 4
where c.course_type = 'custom' order by random() limit 200
-- By hand
select id from public.courses
where id = %(course_id)s and author_id = %(caller)s and deleted_at is null
  and status <> 'archived'
for update;
delete from public.course_modules
where id = %(p_course_module_id)s and course_id = %(course_id)s
