-- What ended long ago, a thousand at a time. Failed jobs stay until somebody decides.
with ended as (
  select id from procrastinate.procrastinate_jobs as job
  where status in ('succeeded', 'cancelled', 'aborted')
    and not exists (
      select from procrastinate.procrastinate_events
      where job_id = job.id and at > now() - interval '7 days'
    )
  order by id
  limit 1000
  for update skip locked
), forgotten as (
  delete from app.job_failures where job_id in (select id from ended)
)
delete from procrastinate.procrastinate_jobs where id in (select id from ended)
