-- Sample: an admin approves a course whose former formation goes on.
select bench.id('person', 2) as caller, s.id as p_submission_id, s.course_id, s.user_id,
  f.submission_id as former_id, gen_random_uuid() as new_id
from public.formation_submissions as s
join public.user_formations as f on f.course_id = s.course_id and f.ended_at is null
where s.status = 'pending' order by random() limit 200
-- By hand
select id from public.courses where id = %(course_id)s for no key update;
with said as (
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
      from public.course_modules as m
      join public.builder_modules as p on p.id = m.builder_module_id
      where m.course_id = c.id
    ), '[]')) as content
  from public.courses as c where c.id = %(course_id)s
)
select s.id from public.formation_submissions as s
join public.user_formation_snapshots as f on f.submission_id = s.id
join said on f.content_hash = encode(sha256(convert_to((said.content - 'version')::text, 'UTF8')), 'hex')
where s.id = %(p_submission_id)s and s.status = 'pending'
for update of s;
update public.formation_submissions set status = 'approved', reviewed_by = %(caller)s,
  reviewed_at = clock_timestamp(), last_activity_at = clock_timestamp()
where id = %(p_submission_id)s;
update public.courses set status = 'published' where id = %(course_id)s;
update public.user_formations set ended_at = clock_timestamp()
where course_id = %(course_id)s and ended_at is null;
select id from public.formation_submissions where id = %(former_id)s for update;
with former as (
  delete from public.formation_module_statuses where submission_id = %(former_id)s returning *
),
kept as (
  select said.module_uuid, coalesce(former.status, 'todo') as status,
    coalesce(former.position, 1000 + said.position) as position
  from public.user_formation_snapshots as f
  cross join jsonb_to_recordset(f.content -> 'modules')
    as said (module_uuid uuid, position integer)
  left join former on former.module_uuid = said.module_uuid
  where f.submission_id = %(p_submission_id)s
),
added as (
  insert into public.formation_module_statuses
    (user_id, submission_id, module_uuid, status, position)
  select %(user_id)s, %(p_submission_id)s, module_uuid, status,
    row_number() over (partition by status order by position) - 1
  from kept
)
insert into realtime.messages (payload, event, topic, private, extension)
select jsonb_build_object('id', gen_random_uuid(), 'submission_id', id), 'kanban_initialised',
  'kanban:' || id, true, 'broadcast'
from unnest(array[%(p_submission_id)s, %(former_id)s]::uuid[]) as id;
insert into public.user_formations (submission_id, user_id, course_id, prof_id, started_at)
select %(p_submission_id)s, user_id, course_id, prof_id, clock_timestamp()
from public.user_formations where submission_id = %(former_id)s
returning *
