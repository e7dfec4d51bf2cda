-- Sample: a client gives his course another title.
select author_id as caller, id as p_course_id, 'Un autre titre' as p_title from public.courses
where course_type = 'custom' order by random() limit 200
-- By hand
with held as (select * from public.courses where id = %(p_course_id)s for update),
course as (
  update public.courses as c
  set title = %(p_title)s, version = c.version + 1, updated_at = clock_timestamp()
  from held where c.id = held.id and held.author_id = %(caller)s and held.status <> 'archived'
  returning c.*
),
noted as (
  insert into public.audit_logs (table_name, action, record_id, user_id, old_data, new_data)
  select 'courses', 'UPDATE', course.id, course.author_id,
    jsonb_build_object('title', held.title, 'version', held.version),
    jsonb_build_object('title', course.title, 'version', course.version)
  from course, held
)
select * from course
