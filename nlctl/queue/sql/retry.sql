-- Put ended jobs back, from their first attempt, and wake the workers. Of several that must not
-- wait together the newest goes, and none where one waits already.
with wanted as (
  select distinct on (coalesce(queueing_lock, id::text)) id
  from procrastinate.procrastinate_jobs as job
  where (status = 'failed' and %(ids)s::bigint[] is null
      or status in ('failed', 'cancelled', 'aborted') and id = any (%(ids)s::bigint[]))
    and not exists (
      select from procrastinate.procrastinate_jobs as waiting
      where waiting.queueing_lock = job.queueing_lock and waiting.status = 'todo'
    )
  order by coalesce(queueing_lock, id::text), id desc
), put_back as (
  update procrastinate.procrastinate_jobs as job
  set status = 'todo', attempts = 0, scheduled_at = null
  from wanted
  where job.id = wanted.id and job.status in ('failed', 'cancelled', 'aborted')
  returning job.id, job.queue_name
)
select
  id,
  pg_notify(
    'procrastinate_queue_v1#' || queue_name,
    json_build_object('type', 'job_inserted', 'job_id', id)::text)
from put_back
order by id
