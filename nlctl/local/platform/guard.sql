-- The guard: auth, storage and realtime belong to their services, postgres included among the
-- others.
--
-- roles.sql lets postgres share the ownership of these schemas' objects, since PostgreSQL leaves
-- policies and the dropping of triggers to owners. Everything else an owner may do is refused here
-- with the words PostgreSQL has for someone who is not one. That is what the platform's module
-- supautils amounts to, from the other side.
--
-- What this cannot reach, and so differs from the platform:
--   * postgres counts as a member of the service roles; before PostgreSQL 16 it may also SET ROLE
--     to them.
--   * Roles are shared by all databases and fire no event trigger: postgres may alter or drop
--     anon, authenticated, service_role and authenticator (before 16: all but superusers).
--   * Event triggers stay with superusers; the platform lets postgres create them.
--   * Publications FOR ALL TABLES stay with superusers as well.
--   * Extensions that need a superuser are limited to those extensions/ marks as trusted.

create or replace function _platform.is_service() returns boolean
language sql stable
set search_path = ''
as $$
  select rolsuper or rolname in (
    'supabase_auth_admin', 'supabase_storage_admin', 'supabase_realtime_admin')
  from pg_catalog.pg_roles where rolname = current_user
$$;
comment on function _platform.is_service is 'Whether the platform itself is at work.';

create or replace function _platform.table_of(class_id oid, object_id oid) returns regclass
language sql stable
set search_path = ''
as $$
  select case class_id
    when 'pg_catalog.pg_policy'::regclass then
      (select polrelid from pg_catalog.pg_policy where oid = object_id)
    when 'pg_catalog.pg_trigger'::regclass then
      (select tgrelid from pg_catalog.pg_trigger where oid = object_id)
    when 'pg_catalog.pg_rewrite'::regclass then
      (select ev_class from pg_catalog.pg_rewrite where oid = object_id)
    when 'pg_catalog.pg_publication_rel'::regclass then
      (select prrelid from pg_catalog.pg_publication_rel where oid = object_id)
    when 'pg_catalog.pg_statistic_ext'::regclass then
      (select stxrelid from pg_catalog.pg_statistic_ext where oid = object_id)
    when 'pg_catalog.pg_class'::regclass then
      (select inhparent from pg_catalog.pg_inherits where inhrelid = object_id limit 1)
  end::regclass
$$;
comment on function _platform.table_of is 'The table that an object hangs on, or inherits from.';

create or replace function _platform.is_open(schema_name text, table_name text) returns boolean
language sql immutable
set search_path = ''
as $$
  select format('%s.%s', schema_name, table_name) in (
    'auth.audit_log_entries', 'auth.flow_state', 'auth.identities', 'auth.instances',
    'auth.mfa_amr_claims', 'auth.mfa_challenges', 'auth.mfa_factors', 'auth.oauth_clients',
    'auth.one_time_tokens', 'auth.refresh_tokens', 'auth.saml_providers',
    'auth.saml_relay_states', 'auth.sessions', 'auth.sso_domains', 'auth.sso_providers',
    'auth.users',
    'realtime.messages', 'realtime.subscription',
    'storage.buckets', 'storage.objects', 'storage.s3_multipart_uploads',
    'storage.s3_multipart_uploads_parts')
$$;
comment on function _platform.is_open is
  'Whether the platform lets people put policies and triggers on this table of a service.';

create or replace function _platform.refuse_foreign_ddl() returns event_trigger
language plpgsql
set search_path = ''
as $$
declare
  command record;
begin
  if _platform.is_service() then
    return;
  end if;
  -- Creating something of one's own in these schemas never comes this far: see schemas.sql.
  for command in
    select
      coalesce(ddl.schema_name, space.nspname) as schema_name,
      coalesce(hung_on.relname, substring(ddl.object_identity from '^[^.]+\.([^.(]+)')) as name,
      case when hung_on.oid is not null or ddl.object_type in ('table column', 'table constraint')
        then 'table' else ddl.object_type end as kind,
      ddl.command_tag
    from pg_catalog.pg_event_trigger_ddl_commands() as ddl
    left join pg_catalog.pg_class as hung_on
      on hung_on.oid = _platform.table_of(ddl.classid, ddl.objid)
    left join pg_catalog.pg_namespace as space on space.oid = hung_on.relnamespace
    where coalesce(space.nspname, ddl.schema_name) in ('auth', 'storage', 'realtime')
  loop
    continue when command.command_tag in ('CREATE POLICY', 'ALTER POLICY', 'CREATE TRIGGER')
      and _platform.is_open(command.schema_name, command.name);
    raise exception 'must be owner of % %', command.kind, command.name
      using errcode = 'insufficient_privilege';
  end loop;
end;
$$;
comment on function _platform.refuse_foreign_ddl is 'Keep the services'' objects as they are.';

create or replace function _platform.refuse_foreign_drops() returns event_trigger
language plpgsql
set search_path = ''
as $$
declare
  dropped record;
begin
  if _platform.is_service() then
    return;
  end if;
  for dropped in
    select address_names[1] as schema_name, address_names[2] as name, object_type, original
    from pg_catalog.pg_event_trigger_dropped_objects()
    where address_names[1] in ('auth', 'storage', 'realtime')
  loop
    -- A trigger also goes with its function or its foreign key, wherever it was.
    continue when dropped.object_type in ('policy', 'trigger')
      and (not dropped.original or _platform.is_open(dropped.schema_name, dropped.name));
    raise exception 'must be owner of % %',
      case when dropped.object_type in ('policy', 'trigger', 'table column', 'table constraint')
        then 'table' else dropped.object_type end,
      dropped.name
      using errcode = 'insufficient_privilege';
  end loop;
end;
$$;
comment on function _platform.refuse_foreign_drops is
  'Keep the services'' objects where they are.';

-- GRANT names no object to an event trigger. On the platform it fails to do anything on tables of
-- auth, with PostgreSQL's usual warning; here it is undone, with the same warning.
create or replace function _platform.close_auth() returns void
language plpgsql
security definer -- only the owner may revoke
set search_path = ''
as $$
declare
  given record;
begin
  for given in
    select distinct c.oid::regclass as named, c.relname, acl.grantee
    from pg_catalog.pg_class as c, pg_catalog.aclexplode(c.relacl) as acl
    where c.relnamespace = 'auth'::regnamespace
      and acl.grantee not in (c.relowner, 'postgres'::regrole, 'dashboard_user'::regrole)
  loop
    execute format('revoke all on %s from %s', given.named,
      case when given.grantee = 0 then 'public' else given.grantee::regrole::text end);
    raise warning 'no privileges were granted for "%"', given.relname;
  end loop;
end;
$$;
comment on function _platform.close_auth is
  'Take back what others were granted on tables of auth.';

create or replace function _platform.undo_foreign_grants() returns event_trigger
language plpgsql
set search_path = ''
as $$
begin
  if not _platform.is_service() then
    perform _platform.close_auth();
  end if;
end;
$$;
comment on function _platform.undo_foreign_grants is 'Keep the tables of auth closed.';

-- "Always" means under session_replication_role = replica too, which postgres may set.
drop event trigger if exists refuse_foreign_ddl;
create event trigger refuse_foreign_ddl on ddl_command_end
  execute function _platform.refuse_foreign_ddl();
alter event trigger refuse_foreign_ddl enable always;

drop event trigger if exists refuse_foreign_drops;
create event trigger refuse_foreign_drops on sql_drop
  execute function _platform.refuse_foreign_drops();
alter event trigger refuse_foreign_drops enable always;

drop event trigger if exists undo_foreign_grants;
create event trigger undo_foreign_grants on ddl_command_end when tag in ('GRANT')
  execute function _platform.undo_foreign_grants();
alter event trigger undo_foreign_grants enable always;

create or replace function _platform.refuse_bookkeeping() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  if _platform.is_service() then
    return null;
  end if;
  raise exception 'permission denied for table %', tg_table_name
    using errcode = 'insufficient_privilege';
end;
$$;
comment on function _platform.refuse_bookkeeping is 'Only a service says how far it has migrated.';

do $$
declare
  named regclass;
begin
  foreach named in array array[
    'auth.schema_migrations', 'storage.migrations', 'realtime.schema_migrations']::regclass[]
  loop
    execute format(
      'create or replace trigger refuse_bookkeeping before insert or update or delete or truncate'
      || ' on %s for each statement execute function _platform.refuse_bookkeeping()', named);
    execute format('alter table %s enable always trigger refuse_bookkeeping', named);
  end loop;
end;
$$;

-- The functions above run as whoever issued the command.
grant usage on schema _platform to public;
