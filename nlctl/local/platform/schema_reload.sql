-- Tell the Data API that what it knows of the schema is out of date. Heard at commit.

create or replace function extensions.pgrst_ddl_watch() returns event_trigger
language plpgsql
set search_path = ''
as $$
begin
  if exists (
    select from pg_catalog.pg_event_trigger_ddl_commands() as command
    where command.command_tag in (
        'CREATE SCHEMA', 'ALTER SCHEMA',
        'CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE',
        'CREATE FOREIGN TABLE', 'ALTER FOREIGN TABLE',
        'CREATE VIEW', 'ALTER VIEW',
        'CREATE MATERIALIZED VIEW', 'ALTER MATERIALIZED VIEW',
        'CREATE FUNCTION', 'ALTER FUNCTION',
        'CREATE TRIGGER',
        'CREATE TYPE', 'ALTER TYPE',
        'CREATE RULE',
        'COMMENT')
      and coalesce(command.schema_name, '') not in (
        'pg_temp', 'auth', 'realtime', '_realtime', 'storage')
  ) then
    notify pgrst, 'reload schema';
  end if;
end;
$$;
comment on function extensions.pgrst_ddl_watch is 'Announce what was created or altered.';

create or replace function extensions.pgrst_drop_watch() returns event_trigger
language plpgsql
set search_path = ''
as $$
begin
  if exists (
    select from pg_catalog.pg_event_trigger_dropped_objects() as dropped
    where dropped.object_type in (
        'schema', 'table', 'foreign table', 'view', 'materialized view', 'function', 'trigger',
        'type', 'rule')
      and not dropped.is_temporary
      and coalesce(dropped.schema_name, '') not in ('auth', 'realtime', '_realtime', 'storage')
  ) then
    notify pgrst, 'reload schema';
  end if;
end;
$$;
comment on function extensions.pgrst_drop_watch is 'Announce what was dropped.';

drop event trigger if exists pgrst_ddl_watch;
create event trigger pgrst_ddl_watch on ddl_command_end
  execute function extensions.pgrst_ddl_watch();
drop event trigger if exists pgrst_drop_watch;
create event trigger pgrst_drop_watch on sql_drop
  execute function extensions.pgrst_drop_watch();
