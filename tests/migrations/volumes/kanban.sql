insert into public.formation_module_statuses
  (user_id, submission_id, module_uuid, status, position)
select snapshot.user_id, submission_id, (module ->> 'module_uuid')::uuid, 'todo', number - 1
from public.user_formation_snapshots as snapshot
join public.user_formations using (submission_id)
cross join jsonb_array_elements(content -> 'modules') with ordinality as said (module, number);
