-- Sample: a client submits a course that nobody examines.
select c.author_id as caller, c.id as p_course_id, gen_random_uuid() as new_id
from public.courses as c
where c.course_type = 'custom' and c.status = 'published' and not exists (
  select from public.formation_submissions where course_id = c.id and status = 'pending')
order by random() limit 200
-- By hand
update public.courses set status = 'submitted'
where id = %(p_course_id)s and author_id = %(caller)s and deleted_at is null
  and course_type = 'custom' and status <> 'archived';
with said as (
  select c.id, c.author_id, c.version, jsonb_build_object(
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
  from public.courses as c where c.id = %(p_course_id)s
),
submission as (
  insert into public.formation_submissions (id, course_id, user_id)
  select %(new_id)s, id, author_id from said
  returning *
),
frozen as (
  insert into public.user_formation_snapshots
    (submission_id, user_id, course_id, course_version, content, content_hash)
  select %(new_id)s, said.author_id, said.id, said.version, said.content,
    encode(sha256(convert_to((said.content - 'version')::text, 'UTF8')), 'hex')
  from said
)
select * from submission
