-- Sample: a client who composes.
select distinct author_id as caller, author_id as p_user_id from public.courses
where course_type = 'custom' limit 200
-- By hand
select jsonb_build_object(
  'courses', coalesce((
    select jsonb_agg(jsonb_build_object(
      'enrolment_id', e.id, 'course_id', e.course_id, 'title', k.content ->> 'title',
      'description', k.content ->> 'description', 'course_version', e.course_version,
      'latest_version', c.version, 'status', c.status, 'modules', k.content -> 'modules',
      'done_modules', e.done_modules, 'modules_total', jsonb_array_length(k.content -> 'modules'),
      'modules_done', cardinality(e.done_modules), 'enrolled_at', e.enrolled_at,
      'completed_at', e.completed_at, 'last_activity_at', e.last_activity_at)
      order by e.last_activity_at desc, e.id)
    from public.user_courses as e
    join public.courses as c on c.id = e.course_id
    join public.course_versions as k on k.course_id = e.course_id and k.version = e.course_version
    where e.user_id = %(p_user_id)s
  ), '[]'),
  'parcours', coalesce((
    select jsonb_agg(jsonb_build_object(
      'course_id', c.id, 'title', c.title, 'slug', c.slug, 'description', c.description,
      'status', c.status, 'version', c.version, 'modules_total', sums.total,
      'duration', sums.minutes, 'submission', s.told, 'formation', f.told,
      'created_at', c.created_at, 'updated_at', c.updated_at)
      order by c.created_at desc, c.id)
    from public.courses as c
    cross join lateral (
      select count(*) as total,
        coalesce(sum(coalesce(m.duration_minutes, p.duration_minutes)), 0) as minutes
      from public.course_modules as m
      join public.builder_modules as p on p.id = m.builder_module_id
      where m.course_id = c.id
    ) as sums
    left join lateral (
      select jsonb_build_object(
        'submission_id', s.id, 'status', s.status, 'submitted_at', s.submitted_at,
        'reviewed_at', s.reviewed_at, 'review_comment', s.review_comment, 'course_version', (
          select course_version from public.user_formation_snapshots where submission_id = s.id
        )) as told
      from public.formation_submissions as s where s.course_id = c.id
      order by s.submitted_at desc limit 1
    ) as s on true
    left join lateral (
      select jsonb_build_object(
        'formation_id', f.id, 'submission_id', f.submission_id, 'prof_id', f.prof_id,
        'prof_first_name', g.first_name, 'prof_last_name', g.last_name,
        'started_at', f.started_at, 'ended_at', f.ended_at, 'modules_total', cards.total,
        'modules_done', cards.done, 'modules_in_progress', cards.begun,
        'modules_blocked', cards.blocked) as told
      from (
        select * from public.user_formations where course_id = c.id
        order by started_at desc limit 1
      ) as f
      left join public.profiles as g on g.id = f.prof_id
      cross join lateral (
        select count(*) as total, count(*) filter (where status = 'done') as done,
          count(*) filter (where status = 'in_progress') as begun,
          count(*) filter (where status = 'blocked') as blocked
        from public.formation_module_statuses where submission_id = f.submission_id
      ) as cards
    ) as f on true
    where c.author_id = %(p_user_id)s and c.course_type = 'custom' and c.deleted_at is null
  ), '[]'))
