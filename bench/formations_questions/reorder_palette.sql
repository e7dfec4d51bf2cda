-- Sample: an admin turns the modules of a subfamily round.
select bench.id('person', 2) as caller, 'module' as p_kind,
  array_agg(id order by position desc) as p_ids
from public.builder_modules group by subfamily_id
-- By hand
select id from public.builder_modules
where subfamily_id = (select subfamily_id from public.builder_modules where id = (%(p_ids)s::uuid[])[1])
  and deleted_at is null
order by id for update;
update public.builder_modules as item set position = place.number - 1
from unnest(%(p_ids)s::uuid[]) with ordinality as place (id, number)
where item.id = place.id and item.position <> place.number - 1
