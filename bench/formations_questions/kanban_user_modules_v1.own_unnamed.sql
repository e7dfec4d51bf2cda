-- Sample: all cards of a client, on all his boards, though he does not name himself.
select distinct user_id as caller from public.user_formations limit 200
-- Asked: kanban_user_modules_v1?order=status,position,status_id&limit=100
select * from public.kanban_user_modules_v1 order by status, position, status_id limit 100
-- By hand
select card.id as status_id, card.user_id, card.submission_id, card.module_uuid, card.status,
  card.position, said.title, said.description, said.duration
from public.user_formation_snapshots as snapshot
cross join lateral jsonb_to_recordset(snapshot.content -> 'modules')
  as said (module_uuid uuid, title text, description text, duration integer)
join public.formation_module_statuses as card
  on card.submission_id = snapshot.submission_id and card.module_uuid = said.module_uuid
where snapshot.user_id = %(caller)s
order by card.status, card.position, card.id
limit 100
