-- Sample: a client follows a standard course no longer.
select user_id as caller, course_id as p_course_id from public.user_courses
order by random() limit 200
-- By hand
delete from public.user_courses where user_id = %(caller)s and course_id = %(p_course_id)s
