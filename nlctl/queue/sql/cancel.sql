-- What waits or has failed will not run; what runs is asked to stop.
with wanted as (
  select id, status = 'doing' as is_running
  from procrastinate.procrastinate_jobs
  where status in ('todo', 'doing', 'failed') and id = any (%(ids)s::bigint[])
  for update
)
update procrastinate.procrastinate_jobs as job
set
  status = case when is_running then job.status else 'cancelled' end,
  abort_requested = is_running
from wanted
where job.id = wanted.id
returning job.id, is_running
