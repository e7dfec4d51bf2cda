-- Extensions that every project starts with.
--
-- A server may lack some of them: the embedded one takes pgcrypto and uuid-ossp from extensions/
-- beside this file (PostgreSQL 18), another has them from its contrib package or goes without.
-- supabase_vault is not an extension here, see vault.sql. The platform's hooks for pg_cron, pg_net
-- and pg_graphql would find nothing to do.
do $$
declare
  wanted text;
begin
  for wanted in
    select name from pg_catalog.pg_available_extensions
    where name in ('pgcrypto', 'uuid-ossp', 'pg_stat_statements')
  loop
    execute format('create extension if not exists %I with schema extensions', wanted);
  end loop;
end;
$$;

-- A trusted extension belongs to the superuser, its foreign data wrapper too; the platform hands
-- the wrapper on to postgres.
create or replace function extensions.share_foreign_data_wrappers() returns event_trigger
language plpgsql
security definer -- only the owner of a wrapper may grant it
set search_path = ''
as $$
declare
  wrapper name;
begin
  for wrapper in select fdwname from pg_catalog.pg_foreign_data_wrapper loop
    execute format(
      'grant usage on foreign data wrapper %I to postgres with grant option', wrapper);
  end loop;
end;
$$;
comment on function extensions.share_foreign_data_wrappers is
  'Let postgres create servers of every wrapper an extension brings.';
drop event trigger if exists share_foreign_data_wrappers;
create event trigger share_foreign_data_wrappers on ddl_command_end
  when tag in ('CREATE EXTENSION')
  execute function extensions.share_foreign_data_wrappers();
