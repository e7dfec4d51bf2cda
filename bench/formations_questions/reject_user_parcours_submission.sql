-- Sample: an admin rejects a course.
select bench.id('person', 2) as caller, s.id as p_submission_id, s.course_id, 'Il manque le niveau.' as p_comment
from public.formation_submissions as s where s.status = 'pending' order by random() limit 200
-- By hand
select id from public.courses where id = %(course_id)s for no key update;
with submission as (
  update public.formation_submissions set
    status = 'rejected', reviewed_by = %(caller)s, reviewed_at = clock_timestamp(), review_comment = %(p_comment)s,
    last_activity_at = clock_timestamp(), updated_at = clock_timestamp()
  where id = %(p_submission_id)s and status = 'pending' returning *
),
course as (
  update public.courses as c set status = case
      when exists (select from public.user_formations where course_id = c.id and ended_at is null)
        then 'published' else 'draft' end,
    updated_at = clock_timestamp()
  where id = %(course_id)s returning *
),
noted as (
  insert into public.audit_logs (table_name, action, record_id, user_id, old_data, new_data)
  select 'formation_submissions', 'UPDATE', id, %(caller)s,
    '{"status": "pending", "reviewed_at": null, "reviewed_by": null}'::jsonb, jsonb_build_object('status', status, 'reviewed_at', reviewed_at, 'reviewed_by', reviewed_by)
  from submission
  union all
  select 'courses', 'UPDATE', id, %(caller)s, '{"status": "submitted"}'::jsonb,
    jsonb_build_object('status', status)
  from course
),
told as (
  insert into realtime.messages (payload, event, topic, private, extension)
  select jsonb_build_object('id', gen_random_uuid(), 'submission_id', id, 'course_id', course_id,
    'user_id', user_id, 'status', status), 'submission', 'submissions-admin', true, 'broadcast'
  from submission
)
select * from submission
