-- Roles of a Supabase cluster: attributes, settings, memberships.
--
-- Roles belong to the cluster, and several databases are installed side by side. A shared
-- catalogue is locked for all of them at once, which an advisory lock (one database) would not do.
lock table pg_catalog.pg_authid in share row exclusive mode;

-- Login roles all share a password that everyone knows: the server listens on loopback only.
do $$
declare
  wanted record;
begin
  for wanted in
    select * from (values
      ('anon',                       'nologin inherit'),
      ('authenticated',              'nologin inherit'),
      ('service_role',               'nologin inherit bypassrls'),
      ('authenticator',              'login noinherit'),
      ('postgres',                   'login createdb createrole replication bypassrls'),
      ('supabase_auth_admin',        'login noinherit'),
      ('supabase_storage_admin',     'login noinherit createrole'),
      ('supabase_realtime_admin',    'login noinherit createrole replication'),
      ('supabase_functions_admin',   'login noinherit createrole'),
      ('supabase_replication_admin', 'login replication'),
      ('supabase_etl_admin',         'login replication'),
      ('supabase_read_only_user',    'login bypassrls'),
      ('dashboard_user',             'nologin createdb createrole replication'),
      ('pgbouncer',                  'login'),
      ('supabase_privileged_role',   'nologin')
    ) as roles (name, attributes)
  loop
    if to_regrole(wanted.name) is null then
      execute format('create role %I password %s', wanted.name,
        case when wanted.attributes like 'login%' then quote_literal('postgres') else 'null' end);
    end if;
    execute format('alter role %I with %s', wanted.name, wanted.attributes);
  end loop;
end;
$$;

alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';
-- The platform also preloads safeupdate for authenticator. PostgreSQL does not come with it; the
-- Data API refuses UPDATE and DELETE without WHERE instead.
alter role postgres set search_path = "$user", public, extensions;
alter role supabase_admin set search_path = "$user", public, auth, extensions;
alter role supabase_admin set log_statement = 'none';
alter role supabase_auth_admin set search_path = auth;
alter role supabase_auth_admin set idle_in_transaction_session_timeout = 60000;
alter role supabase_storage_admin set search_path = storage;

-- Each service switches to the role of whoever calls it.
grant anon, authenticated, service_role to authenticator;
grant authenticator to supabase_storage_admin;
grant anon, authenticated, service_role to supabase_realtime_admin;

grant anon, authenticated, service_role, authenticator to postgres with admin option;
grant pg_monitor, pg_read_all_data, pg_signal_backend to postgres with admin option;
grant supabase_privileged_role to postgres;
grant pg_read_all_data to supabase_read_only_user;
grant pg_monitor to supabase_read_only_user;

-- What follows needs PostgreSQL 16: before it, neither the role nor the options exist.
do $$
begin
  if current_setting('server_version_num')::int >= 160000 then
    grant pg_create_subscription to postgres with admin option;
  end if;
end;
$$;

-- Only an owner may create policies and drop triggers. On the platform a module makes an exception
-- for the tables of auth, storage and realtime; here the privileged role shares the ownership of
-- the service roles, and guard.sql refuses whatever the platform would not let through. So
-- postgres is, indirectly, a member of roles it has nothing to do with on the platform.
do $$
declare
  options text := '';
begin
  if current_setting('server_version_num')::int >= 160000 then
    options := ' with inherit true, set false, admin false';
  end if;
  execute 'grant supabase_auth_admin, supabase_storage_admin, supabase_realtime_admin'
    || ' to supabase_privileged_role' || options;
end;
$$;

-- Superuser settings that the platform opens to postgres.
grant set on parameter
  session_replication_role,
  log_lock_waits, log_min_duration_statement, log_min_messages, log_parameter_max_length,
  log_replication_commands, log_statement, log_temp_files,
  track_io_timing, wal_compression,
  auto_explain.log_analyze, auto_explain.log_buffers, auto_explain.log_format,
  auto_explain.log_level, auto_explain.log_min_duration, auto_explain.log_nested_statements,
  auto_explain.log_parameter_max_length, auto_explain.log_settings, auto_explain.log_timing,
  auto_explain.log_triggers, auto_explain.log_verbose, auto_explain.log_wal,
  auto_explain.sample_rate,
  pg_stat_statements.track, pg_stat_statements.track_planning, pg_stat_statements.track_utility,
  pgaudit.log, pgaudit.log_catalog, pgaudit.log_client, pgaudit.log_level, pgaudit.log_relation,
  pgaudit.log_rows, pgaudit.log_statement, pgaudit.log_statement_once, pgaudit.role,
  pgrst.db_aggregates_enabled, pgrst.db_extra_search_path, pgrst.db_max_rows,
  pgrst.db_plan_enabled, pgrst.db_pre_request, pgrst.db_schemas, pgrst.db_tx_end,
  pgrst.jwt_secret, pgrst.openapi_mode, pgrst.server_cors_allowed_origins
to supabase_privileged_role;

-- And re-reading the server's configuration, which PostgreSQL keeps to superusers.
grant execute on function pg_catalog.pg_reload_conf() to supabase_privileged_role;
