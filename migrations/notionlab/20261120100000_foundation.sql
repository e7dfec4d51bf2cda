-- Foundation: nobody holds a right that no file names; how a function refuses, how a row remembers
-- when it changed, how it is deleted and yet kept.

-- What an old project hands out by itself. The withdrawal from PUBLIC has no schema: within one
-- schema PostgreSQL only takes back what was given for that schema.
alter default privileges for role postgres in schema public
  revoke all on tables from anon, authenticated, service_role;
alter default privileges for role postgres in schema public
  revoke all on sequences from anon, authenticated, service_role;
alter default privileges for role postgres in schema public
  revoke all on functions from anon, authenticated, service_role;
alter default privileges for role postgres in schema public
  revoke all on types from anon, authenticated, service_role;
alter default privileges for role postgres revoke execute on functions from public;
alter default privileges for role postgres revoke usage on types from public;
revoke create on schema public from public;

-- What it has handed out already. Extensions keep theirs.
do $$
declare
  held text;
begin
  for held in
    select format('%s %s', case relkind when 'S' then 'sequence' else 'table' end, oid::regclass)
    from pg_catalog.pg_class
    where relnamespace = 'public'::regnamespace
      and relowner = current_user::regrole
      and relkind in ('r', 'p', 'v', 'm', 'f', 'S')
      and not exists (
        select from pg_catalog.pg_depend where objid = pg_class.oid and deptype = 'e'
      )
    union all
    select format('routine %s', oid::regprocedure)
    from pg_catalog.pg_proc
    where pronamespace = 'public'::regnamespace
      and proowner = current_user::regrole
      and not exists (
        select from pg_catalog.pg_depend where objid = pg_proc.oid and deptype = 'e'
      )
  loop
    execute format('revoke all on %s from public, anon, authenticated, service_role', held);
  end loop;
end;
$$;

create schema app;
comment on schema app is
  'What policies, triggers and RPCs are built from; the Data API never shows it.';
-- Only to name what is inside: each function is granted by itself.
grant usage on schema app to anon, authenticated, service_role;

create function app.refuse(
  p_code text,
  p_message text,
  p_details text default null,
  p_hint text default null
) returns void
language plpgsql
set search_path = ''
as $$
declare
  status constant integer := case p_code
    when 'NOT_AUTHENTICATED' then 401
    when 'FORBIDDEN' then 403
    when 'NOT_FOUND' then 404
    when 'CONFLICT' then 409
    when 'INVALID' then 422
    when 'QUOTA_EXCEEDED' then 429
  end;
begin
  if status is null then
    raise exception 'app.refuse has no code %', p_code using errcode = 'assert_failure';
  end if;

  raise sqlstate 'PGRST' using
    message = json_build_object(
      'code', p_code, 'message', p_message, 'details', p_details, 'hint', p_hint),
    detail = json_build_object('status', status, 'headers', json_build_object());
end;
$$;
comment on function app.refuse is
  'Refuse the caller with a code and a sentence for people; PostgREST makes the answer of it.';
grant execute on function app.refuse to anon, authenticated, service_role;

create function app.plain(p_text text) returns text
language sql immutable
set search_path = ''
as $$
  select translate(
    replace(replace(lower(p_text), 'œ', 'oe'), 'æ', 'ae'),
    'àáâãäåçèéêëìíîïñòóôõöùúûüýÿ''’-', 'aaaaaaceeeeiiiinooooouuuuyy   ');
$$;
comment on function app.plain is
  'A text as searches compare it: lower case, without accents or joined letters, a space for each '
  'apostrophe and hyphen.';
-- Indexes on plain words call it as whoever writes the row.
grant execute on function app.plain to authenticated, service_role;

-- Indexes find words by three letters together. An operator may have created it already.
create extension if not exists pg_trgm with schema extensions;

create function app.pattern_of(p_words text) returns text
language sql immutable
set search_path = ''
as $$
  -- An index by three letters finds fewer only where a word begins, with the space before it.
  select case when char_length(said) < 3 then '% ' else '%' end
    || regexp_replace(said, '([\\%_])', '\\\1', 'g') || '%'
  from (select nullif(btrim(app.plain(p_words)), '')) as asked (said);
$$;
comment on function app.pattern_of is
  'The pattern for LIKE that finds words in app.plain('' '' || text); one or two letters are only '
  'found where a word begins. Null without words.';

create function app.set_updated_at() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  -- Whoever sends back the instant he read must never match a later write by luck of the clock.
  new.updated_at := greatest(clock_timestamp(), old.updated_at + interval '1 microsecond');
  return new;
end;
$$;
comment on function app.set_updated_at is
  'Date the change, later than every earlier change of the same row.';

create function app.soft_delete() returns trigger
language plpgsql
security definer -- a row that leaves the writer's sight would break the policies he writes under
set search_path = ''
as $$
begin
  -- Refusing to follow a parent that goes (a cascade) would leave an orphan.
  if pg_trigger_depth() > 1 or current_setting('app.purging', true) = 'on' then
    return old;
  end if;

  execute format(
    'update %I.%I set deleted_at = clock_timestamp() where id = $1 and deleted_at is null',
    tg_table_schema, tg_table_name
  ) using old.id;
  return null;
end;
$$;
comment on function app.soft_delete is
  'Before DELETE on a table with id and deleted_at: mark the row deleted instead, and keep it.';

create function app.purge_deleted(p_table regclass, p_before timestamptz) returns bigint
language plpgsql
security definer -- no role is granted what it takes to delete for good
set search_path = ''
as $$
declare
  purged bigint;
begin
  if p_before is null or p_before > now() then
    perform app.refuse('INVALID', 'Choisis une date passée.', 'before');
  end if;
  -- Only ours: what belongs to Auth, or to whoever calls, is not deleted in the owner's name.
  if not exists (
    select from pg_catalog.pg_class as kept
    join pg_catalog.pg_attribute as mark on mark.attrelid = kept.oid
    where kept.oid = p_table and kept.relowner = current_user::regrole
      and mark.attname = 'deleted_at' and not mark.attisdropped
  ) then
    perform app.refuse('INVALID', 'Cette table ne garde pas ce qui est supprimé.', 'table');
  end if;

  perform set_config('app.purging', 'on', true);
  execute format('delete from %s where deleted_at < $1', p_table) using p_before;
  get diagnostics purged = row_count;
  perform set_config('app.purging', '', true);
  return purged;
end;
$$;
comment on function app.purge_deleted is
  'Delete for good what was deleted before a moment; returns how many rows. Refuses with INVALID.';
grant execute on function app.purge_deleted to service_role;
