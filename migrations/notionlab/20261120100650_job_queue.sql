-- Job queue: work that a trigger or an RPC leaves to the workers, in the same transaction as its
-- data. The queue itself is Procrastinate, in the schema procrastinate, which `nlctl migrate up`
-- installs and upgrades before these files.

-- nlctl: needs job-queue

create table app.job_failures (
  job_id bigint not null,
  attempt integer not null,
  task text not null,
  args jsonb not null,
  error text not null,
  failed_at timestamptz not null default clock_timestamp(),
  primary key (job_id, attempt)
);
comment on table app.job_failures is
  'Why a job failed, each time: the last one tells why a job was given up.';
comment on column app.job_failures.job_id is
  'In procrastinate.procrastinate_jobs; points nowhere, so that these files run without it.';
-- Granted to no role: workers and operators are the owner.

create function app.enqueue(
  p_task text,
  p_args jsonb default '{}',
  p_queue text default 'default',
  p_run_at timestamptz default null,
  p_dedupe_key text default null
) returns bigint
language plpgsql
security definer -- nobody but the queue's owner writes its tables
set search_path = ''
as $$
declare
  job_id bigint;
begin
  if jsonb_typeof(p_args) is distinct from 'object' then
    raise exception 'The arguments of a job are an object.'
      using errcode = 'invalid_parameter_value';
  end if;

  loop
    -- Waiting under this key already: the same work need not be done twice.
    select id into job_id from procrastinate.procrastinate_jobs
    where queueing_lock = p_dedupe_key and status = 'todo';
    if found then
      return job_id;
    end if;

    begin
      select (procrastinate.procrastinate_defer_jobs_v1(array[
        row(p_queue, p_task, 0, null, p_dedupe_key, p_args, p_run_at)
          ::procrastinate.procrastinate_job_to_defer_v1
      ]))[1] into job_id;
      return job_id;
    exception
      when unique_violation then
        -- Somebody queued it meanwhile; a worker may have taken it since, so look again.
        null;
    end;
  end loop;
end;
$$;
comment on function app.enqueue is
  'Queue a task with its arguments, from p_run_at on, and return the job''s id. While a job with '
  'the same p_dedupe_key waits, that one is returned and nothing is queued.';
-- Not for people: the functions that queue for them run as their owner.
grant execute on function app.enqueue to service_role;
