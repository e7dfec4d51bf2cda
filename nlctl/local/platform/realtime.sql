-- Broadcast: messages wait in a table partitioned by day until the Realtime service delivers them.

create table if not exists realtime.schema_migrations (
  version bigint primary key,
  inserted_at timestamp(0)
);
comment on table realtime.schema_migrations is
  'How far the Realtime service has migrated its schema.';

create table if not exists realtime.messages (
  topic text not null,
  extension text not null,
  payload jsonb,
  event text,
  private boolean default false,
  updated_at timestamp not null default now(),
  inserted_at timestamp not null default now(),
  id uuid not null default gen_random_uuid(),
  binary_payload bytea,
  primary key (id, inserted_at),
  constraint messages_payload_exclusive check (payload is null or binary_payload is null)
) partition by range (inserted_at);
comment on table realtime.messages is
  'Broadcasts of the last three days; its policies say who may join and speak on a private topic.';
create index if not exists messages_inserted_at_topic_index
  on realtime.messages (inserted_at desc, topic) where extension = 'broadcast' and private;

alter table realtime.messages owner to supabase_realtime_admin;
alter table realtime.messages enable row level security;
grant select, insert, update on realtime.messages to anon, authenticated, service_role;
grant all on realtime.messages to postgres, dashboard_user;

alter table realtime.schema_migrations owner to supabase_realtime_admin;
revoke all on realtime.schema_migrations from postgres, dashboard_user;
grant select on realtime.schema_migrations to postgres, anon, authenticated, service_role;

-- The platform's service makes each day's partition while someone is connected; a message for a
-- day without one is lost with a warning. Here it falls into this partition and is delivered as
-- well.
create table if not exists realtime.messages_default partition of realtime.messages default;
alter table realtime.messages_default owner to supabase_realtime_admin;

create or replace function _realtime.maintain_partitions() returns void
language plpgsql
security definer -- nobody else may create in schema realtime, the service included
set search_path = ''
as $$
declare
  today date := (now() at time zone 'utc')::date;
  day date;
  partition text;
begin
  perform pg_advisory_xact_lock(hashtext('realtime.messages partitions'));
  for day in select d::date from generate_series(today - 1, today + 3, interval '1 day') as d loop
    partition := 'messages_' || to_char(day, 'YYYY_MM_DD');
    -- A day that began in the default partition stays there: moving a message would send it twice.
    continue when to_regclass('realtime.' || partition) is not null
      or exists (
        select from realtime.messages_default
        where inserted_at >= day and inserted_at < day + 1
      );
    execute format(
      'create table realtime.%I partition of realtime.messages for values from (%L) to (%L)',
      partition, day, day + 1);
    execute format('alter table realtime.%I owner to supabase_realtime_admin', partition);
  end loop;

  for partition in
    select c.relname from pg_catalog.pg_inherits as i
    join pg_catalog.pg_class as c on c.oid = i.inhrelid
    where i.inhparent = 'realtime.messages'::regclass
      and c.relname ~ '^messages_\d{4}_\d\d_\d\d$'
      and to_date(right(c.relname, 10), 'YYYY_MM_DD') < today - 3
  loop
    execute format('drop table realtime.%I', partition);
  end loop;
  delete from realtime.messages_default where inserted_at < today - 3;
end;
$$;
comment on function _realtime.maintain_partitions is
  'Have a partition for yesterday to three days ahead, and forget messages older than three days.';
revoke execute on function _realtime.maintain_partitions from public;
grant usage on schema _realtime to supabase_realtime_admin;
grant execute on function _realtime.maintain_partitions to supabase_realtime_admin;

create or replace function realtime.topic() returns text
language sql stable
as $$
  select nullif(current_setting('realtime.topic', true), '')
$$;
comment on function realtime.topic is 'The topic being joined or spoken on, for policies.';

-- Both senders swallow every error, as the platform's do: a broadcast never fails the write that
-- caused it.
create or replace function realtime.send(
  payload jsonb, event text, topic text, private boolean default true
) returns void
language plpgsql
as $$
declare
  message_id uuid := gen_random_uuid();
begin
  perform set_config('realtime.topic', topic, true);
  insert into realtime.messages (id, payload, event, topic, private, extension)
  values (
    message_id,
    case when payload ? 'id' then payload
      else jsonb_set(payload, '{id}', to_jsonb(message_id)) end,
    event, topic, private, 'broadcast');
exception
  when others then
    raise warning 'WarnSendingBroadcastMessage: %', sqlerrm;
end;
$$;
comment on function realtime.send is 'Broadcast a JSON object; it gets an id if it has none.';

create or replace function realtime.send_binary(
  payload bytea, event text, topic text, private boolean default true
) returns void
language plpgsql
as $$
begin
  perform set_config('realtime.topic', topic, true);
  insert into realtime.messages (binary_payload, event, topic, private, extension)
  values (payload, event, topic, private, 'broadcast');
exception
  when others then
    raise warning 'WarnSendingBroadcastMessage: %', sqlerrm;
end;
$$;
comment on function realtime.send_binary is 'Broadcast bytes.';

create or replace function realtime.broadcast_changes(
  topic_name text,
  event_name text,
  operation text,
  table_name text,
  table_schema text,
  new record,
  old record,
  level text default 'ROW'
) returns void
language plpgsql
as $$
begin
  if level = 'STATEMENT' then
    raise exception 'function can only be triggered for each row, not for each statement';
  end if;
  if operation not in ('INSERT', 'UPDATE', 'DELETE') then
    raise exception 'Unexpected operation type: %', operation;
  end if;
  perform realtime.send(
    jsonb_build_object(
      'schema', table_schema,
      'table', table_name,
      'operation', operation,
      'record', to_jsonb(new),
      'old_record', to_jsonb(old)),
    event_name, topic_name, true);
end;
$$;
comment on function realtime.broadcast_changes is 'Broadcast one row''s change; for row triggers.';

-- Users add their tables to it; the Realtime service listens to it.
do $$
begin
  create publication supabase_realtime with (publish = 'insert, update, delete, truncate');
  alter publication supabase_realtime owner to postgres;
exception
  when duplicate_object then null;
end;
$$;

-- What the service itself listens to. Messages of every partition, and of partitions to come, are
-- told as the table's own.
do $$
begin
  create publication supabase_realtime_messages_publication for table realtime.messages
    with (publish = 'insert', publish_via_partition_root = true);
exception
  when duplicate_object then null;
end;
$$;
