-- Jobs whose worker is gone, or has shown no sign of life for too long; locked, so that one worker
-- takes each up.
select id, task_name, args, attempts
from procrastinate.procrastinate_jobs as job
where status = 'doing'
  and (
    worker_id is null
    or exists (
      select from procrastinate.procrastinate_workers as worker
      where worker.id = job.worker_id
        and worker.last_heartbeat < now() - make_interval(secs => %(stalled_after)s)
    )
  )
limit 1
for update of job skip locked
