-- Database webhooks: a trigger that posts the changed row to a URL.
--
-- The platform sends with pg_net, which PostgreSQL does not come with. A hook that failed would
-- break the write it hangs on, and one that kept quiet would hide a feature that does not work: so
-- it is recorded as the platform records it, without a request id, and says so in a warning.

create table if not exists supabase_functions.migrations (
  version text primary key,
  inserted_at timestamptz not null default now()
);
comment on table supabase_functions.migrations is 'How far the platform has migrated this schema.';
insert into supabase_functions.migrations (version)
values ('initial'), ('20210809183423_update_grants')
on conflict do nothing;

create table if not exists supabase_functions.hooks (
  id bigserial primary key,
  hook_table_id integer not null,
  hook_name text not null,
  created_at timestamptz not null default now(),
  request_id bigint
);
comment on table supabase_functions.hooks is
  'Webhooks that fired; without request_id, nothing was sent.';
create index if not exists supabase_functions_hooks_request_id_idx
  on supabase_functions.hooks (request_id);
create index if not exists supabase_functions_hooks_h_table_id_h_name_idx
  on supabase_functions.hooks (hook_table_id, hook_name);

create or replace function supabase_functions.http_request() returns trigger
language plpgsql
security definer -- whoever writes the row may not write here
set search_path = ''
as $$
begin
  if coalesce(tg_argv[0], 'null') = 'null' then
    raise exception 'url argument is missing';
  end if;
  if coalesce(tg_argv[1], 'null') not in ('GET', 'POST') then
    raise exception 'method argument % is invalid', tg_argv[1];
  end if;
  insert into supabase_functions.hooks (hook_table_id, hook_name) values (tg_relid, tg_name);
  raise warning 'webhook % was not sent: the local stack has no pg_net', tg_name;
  return new;
end;
$$;
comment on function supabase_functions.http_request is
  'Trigger for webhooks (url, method, headers, params, timeout_ms); records and does not send.';

alter table supabase_functions.migrations owner to supabase_functions_admin;
alter table supabase_functions.hooks owner to supabase_functions_admin;
alter function supabase_functions.http_request() owner to supabase_functions_admin;
grant all on all tables in schema supabase_functions
  to postgres, anon, authenticated, service_role;
grant all on all sequences in schema supabase_functions
  to postgres, anon, authenticated, service_role;
