-- A thousand standard courses, and one of each of three thousand clients, of six modules each.
insert into public.courses (id, course_type, status, author_id, title, slug)
select
  md5('course ' || n)::uuid, case when n <= 1000 then 'standard' else 'custom' end, 'published',
  author.id, 'Formation ' || n, 'formation-' || n
from generate_series(1, 4000) as n
join (
  select id, row_number() over () as number from public.profiles where user_type_id = 'client'
) as author on author.number = n;
insert into public.course_modules (course_id, builder_module_id, position)
select md5('course ' || n)::uuid, md5('palette ' || 1 + (7 * n + place) % 400)::uuid, place
from generate_series(1, 4000) as n, generate_series(0, 5) as place;
analyze public.courses, public.course_modules;
