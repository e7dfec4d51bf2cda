-- Sample: the modules of a client's own course, without a function.
select author_id as caller, id as course_id from public.courses where course_type = 'custom'
order by random() limit 200
-- Asked: course_modules?course_id=eq.{course_id}&order=position
select * from public.course_modules where course_id = %(course_id)s order by position
-- By hand
select * from public.course_modules where course_id = %(course_id)s order by position
