-- Sample: an admin rejects a course.
select bench.id('person', 2) as caller, s.id as p_submission_id, s.course_id, 'Il manque le niveau.' as p_comment
from public.formation_submissions as s where s.status = 'pending' order by random() limit 200
-- By hand
select id from public.courses where id = %(course_id)s for no key update;
update public.courses as c set status = case
    when exists (select from public.user_formations where course_id = c.id and ended_at is null)
      then 'published' else 'draft' end
where id = %(course_id)s;
update public.formation_submissions set
  status = 'rejected', reviewed_by = %(caller)s, reviewed_at = clock_timestamp(),
  review_comment = %(p_comment)s, last_activity_at = clock_timestamp()
where id = %(p_submission_id)s and status = 'pending'
returning *
