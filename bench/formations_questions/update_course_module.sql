-- Sample: a client gives a module other words in his course.
select c.author_id as caller, m.id as p_course_module_id, 'À ma façon' as p_title, c.id as course_id
from public.courses as c
join public.course_modules as m on m.course_id = c.id and m.position = 4
where c.course_type = 'custom' order by random() limit 200
-- By hand
with course as (
  update public.courses set version = version + 1, updated_at = clock_timestamp()
  where id = (select course_id from public.course_modules where id = %(p_course_module_id)s)
    and author_id = %(caller)s and deleted_at is null and status <> 'archived'
  returning *
),
noted as (
  insert into public.audit_logs (table_name, action, record_id, user_id, old_data, new_data)
  select 'courses', 'UPDATE', id, author_id, jsonb_build_object('version', version - 1),
    jsonb_build_object('version', version)
  from course
)
update public.course_modules as m
set title = %(p_title)s, description = null, duration_minutes = null,
  updated_at = clock_timestamp()
from course where m.id = %(p_course_module_id)s
returning m.*
