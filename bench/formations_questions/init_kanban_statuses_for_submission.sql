-- Sample: a client has his board made again, which changes nothing.
select f.user_id as caller, f.submission_id as p_submission_id, f.course_id
from public.user_formations as f where f.ended_at is null order by random() limit 200
-- By hand
select id from public.courses where id = %(course_id)s for no key update;
select s.id from public.formation_submissions as s
join public.user_formations as f on f.submission_id = s.id and f.ended_at is null
where s.id = %(p_submission_id)s for update of s;
with frozen as (
  select said.* from public.user_formation_snapshots
  cross join jsonb_to_recordset(content -> 'modules') as said (module_uuid uuid, position integer)
  where submission_id = %(p_submission_id)s
),
gone as (
  delete from public.formation_module_statuses
  where submission_id = %(p_submission_id)s
    and module_uuid <> all (array(select module_uuid from frozen))
)
insert into public.formation_module_statuses (user_id, submission_id, module_uuid, position)
select %(caller)s, %(p_submission_id)s, module_uuid, 1000 + position from frozen
on conflict (submission_id, module_uuid) do nothing;
update public.formation_module_statuses as card set position = place.number
from (
  select id, row_number() over (partition by status order by position) - 1 as number
  from public.formation_module_statuses where submission_id = %(p_submission_id)s
) as place
where card.id = place.id and card.position <> place.number;
select card.id as status_id, card.user_id, card.submission_id, card.module_uuid, card.status,
  card.position, said.title, said.description, said.duration
from public.user_formation_snapshots as snapshot
cross join lateral jsonb_to_recordset(snapshot.content -> 'modules')
  as said (module_uuid uuid, title text, description text, duration integer)
join public.formation_module_statuses as card
  on card.submission_id = snapshot.submission_id and card.module_uuid = said.module_uuid
where snapshot.submission_id = %(p_submission_id)s
order by card.status, card.position
