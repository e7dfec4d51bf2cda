-- Sample: the board of a admin, without a function.
select bench.id('person', 2) as caller, submission_id from public.user_formations where ended_at is null order by random() limit 200
-- Asked: kanban_user_modules_v1?submission_id=eq.{submission_id}&order=status,position
select * from public.kanban_user_modules_v1 where submission_id = %(submission_id)s
order by status, position
-- By hand
select card.id as status_id, card.user_id, card.submission_id, card.module_uuid, card.status,
  card.position, said.title, said.description, said.duration
from public.user_formation_snapshots as snapshot
cross join lateral jsonb_to_recordset(snapshot.content -> 'modules')
  as said (module_uuid uuid, title text, description text, duration integer)
join public.formation_module_statuses as card
  on card.submission_id = snapshot.submission_id and card.module_uuid = said.module_uuid
where snapshot.submission_id = %(submission_id)s
order by card.status, card.position
