-- Sample: the list of a client's own courses, without a function.
select distinct author_id as caller from public.courses where course_type = 'custom' limit 200
-- Asked: courses?author_id=eq.{caller}&order=created_at.desc
select * from public.courses where author_id = %(caller)s order by created_at desc
-- By hand
select * from public.courses where author_id = %(caller)s and deleted_at is null
order by created_at desc
