-- Sample: a client freezes his pending submission again.
select s.user_id as caller, s.id as p_submission_id, s.course_id
from public.formation_submissions as s where s.status = 'pending' order by random() limit 200
-- By hand
select id from public.courses where id = %(course_id)s for no key update;
update public.formation_submissions set last_activity_at = clock_timestamp()
where id = %(p_submission_id)s and user_id = %(caller)s and status = 'pending';
with said as (
  select c.version, jsonb_build_object(
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
  from public.courses as c where c.id = %(course_id)s
)
update public.user_formation_snapshots set course_version = said.version, content = said.content,
  content_hash = encode(sha256(convert_to((said.content - 'version')::text, 'UTF8')), 'hex')
from said where submission_id = %(p_submission_id)s
returning user_formation_snapshots.*
