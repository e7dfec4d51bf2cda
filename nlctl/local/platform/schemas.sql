-- Schemas, their owners, and who may look inside.

do $$
declare
  wanted record;
begin
  for wanted in
    select * from (values
      ('extensions',          'postgres'),
      ('auth',                'supabase_admin'),
      ('storage',             'supabase_admin'),
      ('realtime',            'supabase_admin'),
      ('_realtime',           'supabase_admin'),
      ('graphql',             'supabase_admin'),
      ('graphql_public',      'supabase_admin'),
      ('vault',               'supabase_admin'),
      ('pgbouncer',           'supabase_admin'),
      ('supabase_functions',  'supabase_admin'),
      ('supabase_migrations', 'postgres')
    ) as schemas (name, owner)
  loop
    execute format('create schema if not exists %I', wanted.name);
    execute format('alter schema %I owner to %I', wanted.name, wanted.owner);
  end loop;
end;
$$;

grant usage on schema public to postgres, anon, authenticated, service_role;
grant usage on schema extensions to anon, authenticated, service_role, dashboard_user;

-- The service roles get no CREATE in their own schema: nothing of theirs migrates here, and
-- without it postgres, which shares their rights (roles.sql), is refused by PostgreSQL itself.
grant usage on schema auth
  to anon, authenticated, service_role, postgres, dashboard_user, supabase_auth_admin;
grant usage on schema storage
  to anon, authenticated, service_role, dashboard_user, supabase_storage_admin;
grant usage on schema storage to postgres with grant option;
grant usage on schema realtime to anon, authenticated, service_role, supabase_realtime_admin;
grant usage on schema realtime to postgres with grant option;

grant usage on schema graphql, graphql_public to postgres, anon, authenticated, service_role;
grant usage on schema vault to postgres, service_role;
grant usage on schema supabase_functions
  to postgres, anon, authenticated, service_role, supabase_functions_admin;

-- The Supabase CLI creates this table at its first push; everything that reads the history may
-- then count on it.
create table if not exists supabase_migrations.schema_migrations (
  version text primary key,
  statements text[],
  name text
);
alter table supabase_migrations.schema_migrations owner to postgres;
