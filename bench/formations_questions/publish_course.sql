-- Sample: an admin publishes an archived course again.
select bench.id('person', 2) as caller, id as p_course_id from public.courses
where course_type = 'standard' and status = 'archived' order by random() limit 200
-- By hand
update public.courses as c set status = 'published'
where id = %(p_course_id)s and course_type = 'standard' and deleted_at is null
  and exists (select from public.course_modules where course_id = c.id)
returning *
