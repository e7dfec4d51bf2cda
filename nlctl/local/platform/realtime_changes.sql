-- Postgres changes: who subscribed to which rows, and whether a row passes a subscriber's filters.
--
-- Left out: apply_rls and list_changes, which read wal2json; PostgreSQL does not come with it. The
-- local Realtime service decodes pgoutput and asks the functions below.

do $$
begin
  if to_regtype('realtime.action') is null then
    create type realtime.action as enum ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'ERROR');
    create type realtime.equality_op as enum (
      'eq', 'neq', 'lt', 'lte', 'gt', 'gte', 'in', 'like', 'ilike', 'is', 'match', 'imatch',
      'isdistinct');
    create type realtime.user_defined_filter as (
      column_name text, op realtime.equality_op, value text, negate boolean);
    create type realtime.wal_column as (
      name text, type_name text, type_oid oid, value jsonb, is_pkey boolean,
      is_selectable boolean);
    create type realtime.wal_rls as (
      wal jsonb, is_rls_enabled boolean, subscription_ids uuid[], errors text[]);
  end if;
end;
$$;

-- Immutable in name only: a generated column below needs it, and role names do not move about.
create or replace function realtime.to_regrole(role_name text) returns regrole
language sql immutable
as $$
  select role_name::regrole
$$;

create table if not exists realtime.subscription (
  id bigint generated always as identity primary key,
  subscription_id uuid not null,
  entity regclass not null,
  filters realtime.user_defined_filter[] not null default '{}',
  claims jsonb not null,
  claims_role regrole not null
    generated always as (realtime.to_regrole(claims ->> 'role')) stored,
  created_at timestamp not null default timezone('utc', now()),
  action_filter text default '*',
  selected_columns text[],
  constraint subscription_action_filter_check
    check (action_filter in ('*', 'INSERT', 'UPDATE', 'DELETE'))
);
comment on table realtime.subscription is 'One open screen that wants to hear of rows.';
create index if not exists ix_realtime_subscription_entity on realtime.subscription (entity);
create unique index if not exists subscription_subscription_id_entity_filters_action_filter_key
  on realtime.subscription (
    subscription_id, entity, filters, action_filter, coalesce(selected_columns, '{}'));

create or replace function realtime.cast(val text, type_ regtype) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
declare
  result jsonb;
begin
  execute format('select to_jsonb(%L::%s)', val, type_) into result;
  return result;
end;
$$;
comment on function realtime.cast is
  'A text as JSON of the type it stands for; fails if it cannot be.';

create or replace function realtime.check_equality_op(
  op realtime.equality_op, type_ regtype, val_1 text, val_2 text
) returns boolean
language plpgsql immutable
set search_path = ''
as $$
declare
  comparison text := case op
    when 'eq' then '%1$L::%3$s = %2$L::%3$s'
    when 'neq' then '%1$L::%3$s <> %2$L::%3$s'
    when 'lt' then '%1$L::%3$s < %2$L::%3$s'
    when 'lte' then '%1$L::%3$s <= %2$L::%3$s'
    when 'gt' then '%1$L::%3$s > %2$L::%3$s'
    when 'gte' then '%1$L::%3$s >= %2$L::%3$s'
    when 'in' then '%1$L::%3$s = any (%2$L::%3$s[])'
    when 'like' then '%1$L::text like %2$L'
    when 'ilike' then '%1$L::text ilike %2$L'
    when 'match' then '%1$L::text ~ %2$L'
    when 'imatch' then '%1$L::text ~* %2$L'
    when 'isdistinct' then '%1$L::%3$s is distinct from %2$L::%3$s'
    when 'is' then case lower(val_2)
      when 'null' then '%1$L::%3$s is null'
      when 'not null' then '%1$L::%3$s is not null'
      when 'true' then '%1$L::boolean is true'
      when 'false' then '%1$L::boolean is false'
      when 'unknown' then '%1$L::boolean is unknown'
    end
  end;
  result boolean;
begin
  if comparison is null then
    raise exception 'invalid value for is filter: %', val_2 using errcode = '22023';
  end if;
  execute format('select ' || comparison, val_1, val_2, type_) into result;
  return result;
end;
$$;
comment on function realtime.check_equality_op is 'Compare two values written as text.';

create or replace function realtime.is_visible_through_filters(
  columns realtime.wal_column[], filters realtime.user_defined_filter[]
) returns boolean
language sql immutable
set search_path = ''
as $$
  -- A filter on a column that is not in the row (a DELETE knows only its key) does not pass.
  select not exists (
    select from unnest(filters) as filter
    left join unnest(columns) as col on col.name = filter.column_name
    where coalesce(
      realtime.check_equality_op(
        filter.op, coalesce(col.type_oid, 'text'::regtype)::regtype, col.value #>> '{}',
        filter.value),
      false) = coalesce(filter.negate, false)
      or col.name is null
  )
$$;
comment on function realtime.is_visible_through_filters is 'Whether a row passes all filters.';

create or replace function realtime.subscription_check_filters() returns trigger
language plpgsql
set search_path = ''
as $$
declare
  -- claims_role is generated, and so not known before the row is written.
  reader constant regrole := realtime.to_regrole(new.claims ->> 'role');
  filter realtime.user_defined_filter;
  wanted text;
begin
  foreach wanted in array coalesce(new.selected_columns, '{}') loop
    if realtime.readable_column(new.entity, reader, wanted) is null then
      raise exception 'invalid column for select %', wanted;
    end if;
  end loop;
  foreach filter in array new.filters loop
    perform realtime.check_filter(
      filter, realtime.readable_column(new.entity, reader, filter.column_name));
  end loop;

  -- The same filters in another order are the same subscription.
  new.filters := array(select f from unnest(new.filters) as f order by f);
  return new;
end;
$$;
comment on function realtime.subscription_check_filters is
  'Refuse a subscription to columns that do not exist, cannot be read, or cannot hold the value.';

create or replace function realtime.check_filter(
  filter realtime.user_defined_filter, column_type regtype
) returns void
language plpgsql stable
set search_path = ''
as $$
begin
  if column_type is null then
    raise exception 'invalid column for filter %', filter.column_name;
  end if;
  case
    when filter.op = 'in' then
      if cardinality(filter.value::text[]) > 100 then
        raise exception 'too many values for `in` filter. Maximum 100';
      end if;
      perform realtime.cast(filter.value, (column_type::text || '[]')::regtype);
    when filter.op = 'is' then
      if filter.value not in ('null', 'true', 'false', 'unknown') then
        raise exception 'invalid value for is filter: must be null, true, false, or unknown';
      elsif filter.value <> 'null' and column_type <> 'boolean'::regtype then
        raise exception 'is % filter requires a boolean column, got %', filter.value, column_type;
      end if;
    when filter.op in ('like', 'ilike', 'match', 'imatch') then
      if not exists (
        select from pg_catalog.pg_operator
        where oprname = case when filter.op in ('like', 'ilike') then '~~' else '~' end
          and oprleft = column_type and oprresult = 'boolean'::regtype
          and (oprright = column_type or oprname = '~~')
      ) then
        raise exception 'operator % requires a text-compatible column type, got %',
          filter.op, column_type;
      end if;
      perform realtime.check_pattern(filter);
    else
      perform realtime.cast(filter.value, column_type);
  end case;
end;
$$;
comment on function realtime.check_filter is 'Refuse a condition that no value of the type can meet.';

create or replace function realtime.check_pattern(filter realtime.user_defined_filter) returns void
language plpgsql stable
set search_path = ''
as $$
begin
  if filter.op in ('match', 'imatch') then
    perform '' ~ filter.value;
  end if;
exception
  when invalid_regular_expression then
    raise exception 'invalid regular expression for % filter: %', filter.op, sqlerrm;
end;
$$;
comment on function realtime.check_pattern is 'Refuse a regular expression that is none.';

create or replace function realtime.readable_column(
  entity regclass, reader regrole, column_name text
) returns regtype
language sql stable
set search_path = ''
as $$
  select a.atttypid::regtype
  from pg_catalog.pg_attribute as a
  where a.attrelid = entity and a.attname = column_name and a.attnum > 0 and not a.attisdropped
    and has_column_privilege(reader, entity, a.attnum, 'select')
$$;
comment on function realtime.readable_column is
  'The type of a column, if it is there and the reader may select it.';

create or replace trigger tr_check_filters before insert or update on realtime.subscription
  for each row execute function realtime.subscription_check_filters();

do $$
declare
  owned record;
begin
  for owned in
    select format('function %s', oid::regprocedure) as named
    from pg_catalog.pg_proc where pronamespace = 'realtime'::regnamespace
    union all
    select format('type %s', oid::regtype)
    from pg_catalog.pg_type
    where typnamespace = 'realtime'::regnamespace and typname in (
      'action', 'equality_op', 'user_defined_filter', 'wal_column', 'wal_rls')
  loop
    execute format('alter %s owner to supabase_realtime_admin', owned.named);
  end loop;
end;
$$;
alter table realtime.subscription owner to supabase_realtime_admin;

-- Without a search path of its own: policies are to find what they would find in a query.
create or replace function _realtime.ask_each(question text, reader text, people text[])
  returns table (person integer, answer integer[])
language plpgsql
as $$
begin
  -- What an attempt that failed has prepared outlives it.
  if exists (select from pg_catalog.pg_prepared_statements where name = 'realtime_question') then
    deallocate realtime_question;
  end if;
  perform pg_catalog.set_config('role', reader, true);
  execute 'prepare realtime_question as ' || question;
  for number in 1..cardinality(people) loop
    perform pg_catalog.set_config('request.jwt.claims', people[number], true);
    execute 'execute realtime_question' into answer;
    person := number;
    return next;
  end loop;
  deallocate realtime_question;
  perform pg_catalog.set_config('role', 'none', true);
end;
$$;
comment on function _realtime.ask_each is
  'Ask the same as each of many people, who differ in their claims: what each of them is answered.';
revoke execute on function _realtime.ask_each from public;
grant execute on function _realtime.ask_each to supabase_realtime_admin;
grant all on realtime.subscription to postgres, dashboard_user;
grant select on realtime.subscription to anon, authenticated, service_role;
