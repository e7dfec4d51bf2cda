-- Five of each custom course: one withdrawn or still waiting, one rejected, and three approved, of
-- which the newest is followed now, with a prof.
insert into public.formation_submissions
  (id, course_id, user_id, status, submitted_at, reviewed_at, last_activity_at)
select
  md5('submission ' || n)::uuid, course.id, course.author_id, decided.status, at,
  case when decided.status in ('rejected', 'approved') then at end, at
from generate_series(1, 15000) as n
join public.courses as course on course.id = md5('course ' || 1001 + n % 3000)::uuid
cross join lateral (
  select
    now() - n * interval '5 minutes',
    case (n + n / 3000) % 5
      when 0 then case when n % 10 = 0 then 'pending' else 'withdrawn' end
      when 1 then 'rejected'
      else 'approved'
    end
) as decided (at, status);
with said as materialized (
  select id, content, app.content_hash(content) as hash
  from public.courses, app.course_content(id) as content
  where course_type = 'custom'
)
insert into public.user_formation_snapshots
  (submission_id, user_id, course_id, course_version, content, content_hash)
select submission.id, user_id, course_id, 1, said.content, said.hash
from public.formation_submissions as submission
join said on said.id = submission.course_id;
insert into public.user_formations (submission_id, user_id, course_id, prof_id, ended_at)
select
  submission.id, user_id, course_id, prof.id,
  case when submission.submitted_at < max(submission.submitted_at) over (partition by course_id)
    then now() end
from public.formation_submissions as submission
left join (
  select id, row_number() over () as number from public.profiles where user_type_id = 'prof'
) as prof on prof.number = 1 + get_byte(uuid_send(course_id), 0)
where status = 'approved';
