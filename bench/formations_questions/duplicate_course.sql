-- Sample: a client copies a standard course.
select bench.id('person', staff + 1 + n % clients) as caller, bench.id('course', 1 + n % standards)
  as p_course_id, gen_random_uuid() as new_id
from bench.volume, generate_series(1, 200) as n
where (select status from public.courses where id = bench.id('course', 1 + n % standards))
  = 'published'
-- By hand
select id from public.profiles where id = %(caller)s for no key update;
with source as (
  select * from public.courses where id = %(p_course_id)s and deleted_at is null for share
)
insert into public.courses (id, course_type, author_id, title, slug, description)
select %(new_id)s, 'custom', %(caller)s, left(title, 192) || ' (copie)',
  slug || '-copie-' || left(%(new_id)s::text, 8), description
from source
where 100 > (
  select count(*) from public.courses
  where author_id = %(caller)s and course_type = 'custom' and deleted_at is null);
insert into public.course_modules
  (course_id, builder_module_id, position, title, description, duration_minutes)
select %(new_id)s, builder_module_id, position, title, description, duration_minutes
from public.course_modules where course_id = %(p_course_id)s;
select * from public.courses where id = %(new_id)s
