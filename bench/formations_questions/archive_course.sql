-- Sample: a client archives a course that he follows.
select c.author_id as caller, c.id as p_course_id from public.courses as c
where c.course_type = 'custom' and c.status = 'published' and exists (
  select from public.user_formations where course_id = c.id and ended_at is null)
order by random() limit 200
-- By hand
update public.courses set status = 'archived'
where id = %(p_course_id)s and author_id = %(caller)s and deleted_at is null
  and status <> 'archived'
returning *
