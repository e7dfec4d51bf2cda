-- Sample: an admin turns the modules of a subfamily round.
select bench.id('person', 2) as caller, 'module' as p_kind,
  array_agg(id order by position desc) as p_ids
from public.builder_modules group by subfamily_id
-- By hand
select id from public.builder_modules
where subfamily_id = (select subfamily_id from public.builder_modules where id = (%(p_ids)s::uuid[])[1])
  and deleted_at is null
order by id for update;
with moved as (
  update public.builder_modules as item
  set position = place.number - 1, updated_at = clock_timestamp()
  from unnest(%(p_ids)s::uuid[]) with ordinality as place (id, number), public.builder_modules as old
  where item.id = place.id and old.id = item.id and item.position <> place.number - 1
  returning item.id, old.position as before, item.position as after
)
insert into public.audit_logs (table_name, action, record_id, user_id, old_data, new_data)
select 'builder_modules', 'UPDATE', id, %(caller)s, jsonb_build_object('position', before),
  jsonb_build_object('position', after)
from moved
