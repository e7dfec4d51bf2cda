-- Audit: who changed which row, and what people did. Nothing here is ever rewritten.

create table public.audit_logs (
  id bigint generated always as identity primary key,
  table_name text not null,
  action text not null,
  record_id text not null,
  -- Points nowhere: the trace outlives the person.
  user_id uuid,
  old_data jsonb,
  new_data jsonb,
  created_at timestamptz not null default clock_timestamp(),
  constraint audit_logs_action_known check (action in ('INSERT', 'UPDATE', 'DELETE'))
);
comment on table public.audit_logs is 'One line for each change of a row that matters.';
comment on column public.audit_logs.table_name is 'With its schema, unless that is public.';
comment on column public.audit_logs.record_id is
  'The primary key; several columns joined by a colon.';
comment on column public.audit_logs.user_id is 'Who did it; null for a server or an operator.';
comment on column public.audit_logs.old_data is 'What was: of an update, changed columns only.';
comment on column public.audit_logs.new_data is 'What is: of an update, changed columns only.';

create index audit_logs_record_idx on public.audit_logs (table_name, record_id, id desc);
create index audit_logs_user_id_idx on public.audit_logs (user_id, id desc);
create index audit_logs_created_at_idx on public.audit_logs (created_at, id);

alter table public.audit_logs enable row level security;
-- A bound rather than a yes or no, which would be asked of every row: for those who may read
-- nothing it is null, and then no index of the table, each holding the id, is even opened.
create policy audit_logs_select_owner on public.audit_logs for select to authenticated
  using (id >= (select case when app.current_user_type() = 'owner' then 0 end));
-- No role may write, service_role no more than the others: every line comes from app.audit. And
-- since only owners read it, service_role does not either.
grant select on public.audit_logs to authenticated;

create table public.action_logs (
  id bigint generated always as identity primary key,
  actor_id uuid references auth.users (id) on delete cascade,
  action text not null,
  target_type text,
  target_id text,
  metadata jsonb not null default '{}',
  created_at timestamptz not null default clock_timestamp(),
  constraint action_logs_action_form check (
    action ~ '^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$' and char_length(action) <= 80
  ),
  constraint action_logs_target_length check (
    char_length(target_type) <= 80 and char_length(target_id) <= 200
  ),
  constraint action_logs_metadata_small check (
    jsonb_typeof(metadata) = 'object' and octet_length(metadata::text) <= 8192
  )
);
comment on table public.action_logs is 'What people did in the application, in its own words.';
comment on column public.action_logs.actor_id is 'Who; null for a server or an operator.';
comment on column public.action_logs.action is
  'A verb under its subject, such as course.duplicated.';

create index action_logs_actor_id_idx on public.action_logs (actor_id, id desc);
create index action_logs_target_idx on public.action_logs (target_type, target_id, id desc);

alter table public.action_logs enable row level security;
-- A bound, as above.
create policy action_logs_select_staff on public.action_logs for select to authenticated
  using (id >= (select case when public.is_admin_or_owner((select auth.uid())) then 0 end));
-- People write through log_action, which signs for them; a server may sign for somebody.
grant select on public.action_logs to authenticated;
grant select, insert on public.action_logs to service_role;

create function public.log_action(
  p_action text,
  p_target_type text default null,
  p_target_id text default null,
  p_metadata jsonb default '{}'
) returns void
language plpgsql
security definer -- people may not write action_logs; this is their door
set search_path = ''
as $$
declare
  caller_id constant uuid := app.require_user();
  broken text;
begin
  insert into public.action_logs (actor_id, action, target_type, target_id, metadata)
  values (caller_id, p_action, p_target_type, p_target_id, coalesce(p_metadata, '{}'));
exception
  when check_violation or not_null_violation then
    get stacked diagnostics broken = constraint_name;
    perform app.refuse('INVALID', 'Cette action ne peut pas être notée ainsi.',
      coalesce(substring(broken from '^action_logs_([a-z]+)_'), 'action'));
end;
$$;
comment on function public.log_action is
  'Note what the caller just did. Refuses with INVALID (action, target or metadata).';
grant execute on function public.log_action to authenticated;

create function app.primary_key_of(p_table oid, p_row jsonb) returns text
language sql stable
set search_path = ''
as $$
  select string_agg(p_row ->> attribute.attname, ':' order by part.position)
  from pg_catalog.pg_index as index
  cross join unnest(index.indkey) with ordinality as part (number, position)
  join pg_catalog.pg_attribute as attribute
    on attribute.attrelid = index.indrelid and attribute.attnum = part.number
  where index.indrelid = p_table and index.indisprimary;
$$;
comment on function app.primary_key_of is 'The primary key of a row, as one text.';

create function app.audit() returns trigger
language plpgsql
security definer -- nobody may write to audit_logs
set search_path = ''
as $$
declare
  -- The trigger's arguments are columns that must not be copied: secrets, consents, personal data.
  unseen constant text[] := array_append(tg_argv, 'updated_at');
  before constant jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
  after constant jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
  -- Most tables have an id; of others the catalogue is asked.
  record_id constant text := coalesce(
    coalesce(after, before) ->> 'id', app.primary_key_of(tg_relid, coalesce(after, before)));
  old_data jsonb := before - unseen;
  new_data jsonb := after - unseen;
begin
  if tg_op = 'UPDATE' then
    select jsonb_object_agg(key, before -> key), jsonb_object_agg(key, value)
    into old_data, new_data
    from jsonb_each(new_data)
    where value is distinct from before -> key;
    if new_data is null then
      return null;
    end if;
  end if;

  insert into public.audit_logs (table_name, action, record_id, user_id, old_data, new_data)
  values (
    case when tg_table_schema <> 'public' then tg_table_schema || '.' else '' end || tg_table_name,
    tg_op, record_id, auth.uid(), old_data, new_data
  );
  return null;
end;
$$;
comment on function app.audit is
  'After each row: one line in audit_logs. Arguments name the columns it must not copy.';

create function app.keep_audit_logs() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if tg_op <> 'DELETE' or current_setting('app.purging', true) is distinct from 'on' then
    perform app.refuse('FORBIDDEN', 'Le journal ne se réécrit pas.');
  end if;
  return null;
end;
$$;
comment on function app.keep_audit_logs is 'Refuse to rewrite the log, whoever asks.';

create trigger audit_logs_keep before update or delete or truncate on public.audit_logs
  for each statement execute function app.keep_audit_logs();

create function app.purge_audit_logs(p_before timestamptz) returns bigint
language plpgsql
set search_path = ''
as $$
declare
  purged bigint;
begin
  if p_before is null or p_before > now() then
    perform app.refuse('INVALID', 'Choisis une date passée.', 'before');
  end if;

  perform set_config('app.purging', 'on', true);
  delete from public.audit_logs where created_at < p_before;
  get diagnostics purged = row_count;
  perform set_config('app.purging', '', true);

  insert into public.action_logs (action, target_type, metadata)
  values (
    'audit.purged', 'audit_logs', jsonb_build_object('before', p_before, 'purged', purged));
  return purged;
end;
$$;
comment on function app.purge_audit_logs is
  'Retention: forget what is older, and note it. An operator''s command, so granted to no role.';

create trigger role_permissions_audit after insert or update or delete on public.role_permissions
  for each row execute function app.audit();
-- Types and statuses, not the person: a copy of his name would survive his account.
create trigger profiles_audit after update or delete on public.profiles
  for each row
  execute function app.audit('email', 'first_name', 'last_name', 'avatar_path', 'profession');
