-- Sample: a page of the catalogue, without a function.
select bench.id('person', staff + n) as caller from bench.volume, generate_series(1, 100) as n
-- Asked: courses?course_type=eq.standard&status=eq.published&order=title,id&limit=50
select * from public.courses where course_type = 'standard' and status = 'published'
order by title, id limit 50
-- By hand
select * from public.courses where course_type = 'standard' and status = 'published'
  and deleted_at is null
order by title, id limit 50
