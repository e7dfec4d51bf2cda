insert into public.course_versions (course_id, version, content, content_hash)
select id, 1, content, app.content_hash(content)
from public.courses, app.course_content(id) as content
where course_type = 'standard';
insert into public.user_courses (user_id, course_id, course_version, last_activity_at)
select person.id, md5('course ' || 1 + n % 1000)::uuid, 1, now() - n * interval '3 minutes'
from generate_series(1, 15000) as n
join (
  select id, row_number() over () as number from public.profiles where user_type_id = 'client'
) as person on person.number = 1 + n % 2999;
