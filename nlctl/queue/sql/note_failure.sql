-- Attempts go on being counted when somebody has a failed job tried again from the first.
insert into app.job_failures (job_id, attempt, task, args, error)
select
  %(job_id)s, coalesce(max(attempt), 0) + 1, %(task)s::text, %(args)s::jsonb, %(error)s::text
from app.job_failures
where job_id = %(job_id)s
