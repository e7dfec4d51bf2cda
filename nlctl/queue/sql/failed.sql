-- Jobs that were given up, the newest first, with what was wrong the last time.
select
  job.id, job.queue_name as queue, job.task_name as task, job.attempts,
  failure.failed_at, coalesce(failure.error, '') as error
from procrastinate.procrastinate_jobs as job
left join lateral (
  select failed_at, error from app.job_failures
  where job_id = job.id
  order by attempt desc
  limit 1
) as failure on true
where job.status = 'failed'
order by failure.failed_at desc nulls last, job.id desc
limit %(limit)s
