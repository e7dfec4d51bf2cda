-- Sample: a client goes on with a newer version that nobody follows yet.
select e.user_id as caller, e.course_id as p_course_id
from public.user_courses as e
join public.courses as c on c.id = e.course_id and c.version = 2 and c.status = 'published'
order by random() limit 200
-- By hand
with course as (
  select c.id, c.version, c.title, c.description, c.course_type from public.courses as c
  where c.id = %(p_course_id)s and c.course_type = 'standard' and c.status = 'published'
    and c.deleted_at is null
  for no key update
),
said as (
  select c.id, c.version, jsonb_build_object(
    'course_id', c.id, 'course_type', c.course_type, 'title', c.title,
    'description', c.description, 'version', c.version,
    'modules', coalesce((
      select jsonb_agg(
        jsonb_build_object(
          'module_uuid', m.id, 'builder_module_id', m.builder_module_id,
          'title', coalesce(m.title, p.title),
          'description', coalesce(m.description, p.description),
          'duration', coalesce(m.duration_minutes, p.duration_minutes), 'position', m.position)
        order by m.position)
      from public.course_modules as m
      join public.builder_modules as p on p.id = m.builder_module_id
      where m.course_id = c.id
    ), '[]')) as content
  from course as c
)
insert into public.course_versions (course_id, version, content, content_hash)
select id, version, content,
  encode(sha256(convert_to((content - 'version')::text, 'UTF8')), 'hex')
from said;
update public.user_courses as mine
set course_version = 2, last_activity_at = clock_timestamp(),
  done_modules = array(
    select m.id from public.course_modules as m
    where m.course_id = mine.course_id and m.id = any (mine.done_modules))
where user_id = %(caller)s and course_id = %(p_course_id)s
returning *
