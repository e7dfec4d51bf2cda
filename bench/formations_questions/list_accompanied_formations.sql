-- Sample: a prof opens the list of what he accompanies.
select prof_id as caller from public.user_formations
where prof_id is not null order by random() limit 100
-- By hand
select f.id, f.submission_id, f.course_id, n.content ->> 'title', f.user_id, p.first_name,
  p.last_name, cards.*, f.started_at, f.ended_at, s.last_activity_at
from (
  select f.*, s.last_activity_at
  from public.user_formations as f
  join public.formation_submissions as s on s.id = f.submission_id
  join public.courses as c on c.id = f.course_id and c.deleted_at is null
  where f.prof_id = %(caller)s
  order by s.last_activity_at desc, s.id desc limit 50
) as f
join public.formation_submissions as s on s.id = f.submission_id
join public.user_formation_snapshots as n on n.submission_id = f.submission_id
join public.profiles as p on p.id = f.user_id
cross join lateral (
  select count(*), count(*) filter (where k.status = 'done'),
    count(*) filter (where k.status = 'in_progress'), count(*) filter (where k.status = 'blocked')
  from public.formation_module_statuses as k where k.submission_id = f.submission_id
) as cards
order by s.last_activity_at desc, f.submission_id desc
