-- Sample: a client reads his own course.
select author_id as caller, id as p_course_id from public.courses
where course_type = 'custom' order by random() limit 200
-- By hand
select jsonb_build_object(
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
    from public.course_modules as m join public.builder_modules as p on p.id = m.builder_module_id
    where m.course_id = c.id
  ), '[]'),
  'status', c.status, 'slug', c.slug, 'author_id', c.author_id, 'created_at', c.created_at,
  'updated_at', c.updated_at)
from public.courses as c
where c.id = %(p_course_id)s and c.deleted_at is null
