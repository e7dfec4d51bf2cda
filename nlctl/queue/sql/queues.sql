-- A row for each queue: what waits and since when, what waits for its moment, runs, hangs, failed.
select
  job.queue_name as name,
  count(*) filter (where status = 'todo' and coalesce(scheduled_at <= now(), true)) as waiting,
  count(*) filter (where status = 'todo' and scheduled_at > now()) as later,
  count(*) filter (where status = 'doing') as running,
  count(*) filter (
    where status = 'doing' and (
      job.worker_id is null
      or worker.last_heartbeat < now() - make_interval(secs => %(stalled_after)s)
    )
  ) as stalled,
  count(*) filter (where status = 'failed') as failed,
  count(*) filter (where status = 'succeeded') as done,
  min(coalesce(scheduled_at, (
    select min(at) from procrastinate.procrastinate_events as event
    where event.job_id = job.id and event.type = 'deferred'
  ))) filter (where status = 'todo' and coalesce(scheduled_at <= now(), true)) as oldest_waiting
from procrastinate.procrastinate_jobs as job
left join procrastinate.procrastinate_workers as worker on worker.id = job.worker_id
group by job.queue_name
order by job.queue_name
