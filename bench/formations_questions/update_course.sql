-- Sample: a client gives his course another title.
select author_id as caller, id as p_course_id, 'Un autre titre' as p_title from public.courses
where course_type = 'custom' order by random() limit 200
-- By hand
update public.courses set title = %(p_title)s
where id = %(p_course_id)s and author_id = %(caller)s and deleted_at is null
  and status <> 'archived'
returning *
