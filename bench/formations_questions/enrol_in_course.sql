-- Sample: a client begins a standard course that others follow already.
select bench.id('person', staff + 1 + (n + 7) % clients) as caller, c.id as p_course_id
from bench.volume, generate_series(1, 400) as n,
  lateral (select * from public.courses where id = bench.id('course', 2 + n % (standards - 1))) as c
where c.status = 'published' and c.version = 1 and not exists (
  select from public.user_courses
  where user_id = bench.id('person', staff + 1 + (n + 7) % clients) and course_id = c.id)
limit 200
-- By hand
with course as (
  select id, version from public.courses
  where id = %(p_course_id)s and course_type = 'standard' and status = 'published'
    and deleted_at is null
  for no key update
)
insert into public.user_courses (user_id, course_id, course_version)
select %(caller)s, course.id, course.version
from course join public.course_versions as kept
  on kept.course_id = course.id and kept.version = course.version
returning *
