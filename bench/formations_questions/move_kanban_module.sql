-- Sample: a client drags the second of 8 cards that are done to the fourth place of those to do.
select user_id as caller, id as p_status_id, 'todo' as p_status, 3 as p_position, submission_id
from public.formation_module_statuses
where status = 'done' and position = 1 order by random() limit 200
-- By hand
select id from public.formation_submissions where id = %(submission_id)s for no key update;
with former as (
  select * from public.formation_module_statuses
  where id = %(p_status_id)s and user_id = %(caller)s
),
moved as (
  update public.formation_module_statuses as card set
    status = case when card.id = former.id then %(p_status)s else card.status end,
    position = case when card.id = former.id then %(p_position)s
      when card.status = %(p_status)s then card.position + 1 else card.position - 1 end
  from former
  where card.submission_id = %(submission_id)s and (
    card.id = former.id
    or card.status = former.status and card.position > former.position
    or card.status = %(p_status)s and card.position >= %(p_position)s)
  returning card.*
),
told as (
  insert into realtime.messages (payload, event, topic, private, extension)
  select jsonb_build_object('id', gen_random_uuid(), 'status_id', moved.id,
    'submission_id', moved.submission_id, 'module_uuid', moved.module_uuid,
    'status', moved.status, 'position', moved.position, 'from_status', former.status,
    'from_position', former.position, 'moved_by', moved.user_id),
    'module_moved', 'kanban:' || moved.submission_id, true, 'broadcast'
  from moved join former using (id)
),
dated as (
  update public.formation_submissions
  set last_activity_at = clock_timestamp()
  where id = %(submission_id)s
)
select moved.* from moved join former using (id)
