-- Sample: a client deletes a course that he follows.
select c.author_id as caller, c.id as p_course_id from public.courses as c
where c.course_type = 'custom' and c.status = 'published' and exists (
  select from public.user_formations where course_id = c.id and ended_at is null)
order by random() limit 200
-- By hand
with course as (
  update public.courses set status = 'draft', deleted_at = clock_timestamp(),
    updated_at = clock_timestamp()
  where id = %(p_course_id)s and author_id = %(caller)s and deleted_at is null
  returning *
)
insert into public.audit_logs (table_name, action, record_id, user_id, old_data, new_data)
select 'courses', 'UPDATE', id, author_id, '{"status": "published", "deleted_at": null}',
  jsonb_build_object('status', status, 'deleted_at', deleted_at)
from course;
delete from public.course_versions where course_id = %(p_course_id)s;
select id from public.formation_submissions where course_id = %(p_course_id)s order by id for update;
update public.formation_submissions
set status = 'withdrawn', last_activity_at = clock_timestamp(), updated_at = clock_timestamp()
where course_id = %(p_course_id)s and status = 'pending';
with ended as (
  update public.user_formations set ended_at = clock_timestamp(), updated_at = clock_timestamp()
  where course_id = %(p_course_id)s and ended_at is null
  returning *
),
told as (
  insert into realtime.messages (payload, event, topic, private, extension)
  select jsonb_build_object('submission_id', submission_id, 'id', id), 'kanban_initialised',
    'kanban:' || submission_id, true, 'broadcast'
  from ended
)
insert into public.audit_logs (table_name, action, record_id, user_id, old_data, new_data)
select 'user_formations', 'UPDATE', id, user_id, '{"ended_at": null}',
  jsonb_build_object('ended_at', ended_at)
from ended;
delete from public.formation_module_statuses
where submission_id = any (
  array(select id from public.formation_submissions where course_id = %(p_course_id)s))
