-- Sample: a name that few have.
select bench.id('person', 2) as caller, 'personne' || (staff + 1 + n) as p_search
from bench.volume, generate_series(1, 20) as n
-- By hand
with people as materialized (
  select id from public.profiles
  where app.plain(
      coalesce(' ' || first_name, '') || coalesce(' ' || last_name, '') || coalesce(' ' || email, ''))
    like '%%' || %(p_search)s || '%%'
),
named as materialized (
  select id from public.courses where app.plain(' ' || title) like '%%' || %(p_search)s || '%%'
),
found as materialized (
  select id from public.formation_submissions
  where user_id = any (array(select id from people)) or course_id = any (array(select id from named))
  union all
  select id from public.user_courses
  where user_id = any (array(select id from people)) or course_id = any (array(select id from named))
),
page as (
  select * from (
    select case when f.id is null then 'submission' else 'formation' end as kind, s.id,
      s.id as submission_id, f.id as formation_id, s.course_id, s.user_id,
      case when f.id is null then s.status when f.ended_at is null then 'under_way'
        else 'ended' end as status,
      f.prof_id, s.submitted_at, s.reviewed_at, s.reviewed_by, s.review_comment,
      s.last_activity_at, null::integer as course_version, null::uuid[] as done_modules
    from public.formation_submissions as s
    left join public.user_formations as f on f.submission_id = s.id
    where s.id = any (array(select id from found))
      and not exists (
        select from public.courses as gone
        where gone.id = s.course_id and gone.deleted_at is not null)
    order by s.last_activity_at desc, s.id desc limit 50
  ) as submitted
  union all
  select * from (
    select 'enrolment', e.id, null::uuid, null::uuid, e.course_id, e.user_id,
      case when e.completed_at is null then 'under_way' else 'completed' end, null::uuid,
      e.enrolled_at, null::timestamptz, null::uuid, null::text, e.last_activity_at,
      e.course_version, e.done_modules
    from public.user_courses as e
    where e.id = any (array(select id from found))
    order by e.last_activity_at desc, e.id desc limit 50
  ) as enrolled
  order by last_activity_at desc, id desc limit 50
)
select
  page.kind || ':' || page.id, page.kind, page.id, page.submission_id, page.formation_id,
  page.course_id, c.course_type, c.title, page.status,
  coalesce(f.course_version, page.course_version), c.version, page.user_id, p.first_name,
  p.last_name, p.email, page.prof_id,
  coalesce(cards.total, jsonb_array_length(f.content -> 'modules'),
    jsonb_array_length(k.content -> 'modules'))::integer,
  coalesce(cards.done, cardinality(page.done_modules), 0)::integer,
  page.submitted_at, page.reviewed_at, page.reviewed_by, page.review_comment,
  page.last_activity_at
from page
cross join lateral (select * from public.courses where id = page.course_id limit 1) as c
cross join lateral (select * from public.profiles where id = page.user_id limit 1) as p
left join public.user_formation_snapshots as f on f.submission_id = page.submission_id
left join public.course_versions as k
  on k.course_id = page.course_id and k.version = page.course_version
left join lateral (
  select count(*) as total, count(*) filter (where status = 'done') as done
  from public.formation_module_statuses where submission_id = page.submission_id
  having count(*) > 0
) as cards on true
order by page.last_activity_at desc, page.id desc
