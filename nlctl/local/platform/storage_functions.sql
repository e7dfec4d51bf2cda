-- What policies and listings ask of an object's name.

create or replace function storage.foldername(name text) returns text[]
language sql immutable
as $$
  select tokens[1 : cardinality(tokens) - 1] from string_to_array(name, '/') as tokens
$$;
comment on function storage.foldername is 'The folders of a name, outermost first.';

create or replace function storage.filename(name text) returns text
language sql immutable
as $$
  select tokens[cardinality(tokens)] from string_to_array(name, '/') as tokens
$$;
comment on function storage.filename is 'What follows the last slash.';

create or replace function storage.extension(name text) returns text
language sql immutable
as $$
  select dotted[cardinality(dotted)]
  from string_to_array(storage.filename(name), '.') as dotted
$$;
comment on function storage.extension is 'What follows the last dot of the file name.';

create or replace function storage.operation() returns text
language sql stable
as $$
  select nullif(current_setting('storage.operation', true), '')
$$;
comment on function storage.operation is
  'What the Storage service is doing, as storage.object.upload.';

create or replace function storage.allow_any_operation(expected_operations text[]) returns boolean
language sql stable
as $$
  -- The prefix is optional on both sides.
  select exists (
    select from unnest(expected_operations) as expected
    where expected <> ''
      and regexp_replace(expected, '^storage\.', '')
        = regexp_replace(storage.operation(), '^storage\.', '')
  )
$$;
comment on function storage.allow_any_operation is 'Whether the operation is one of these.';

create or replace function storage.allow_only_operation(expected_operation text) returns boolean
language sql stable
as $$
  select storage.allow_any_operation(array[expected_operation])
$$;
comment on function storage.allow_only_operation is 'Whether the operation is this one.';

create or replace function storage.get_size_by_bucket() returns table (size bigint, bucket_id text)
language sql stable
as $$
  select sum((o.metadata ->> 'size')::bigint)::bigint, o.bucket_id
  from storage.objects as o
  group by o.bucket_id
$$;
comment on function storage.get_size_by_bucket is 'Bytes in each bucket, as its objects say.';

create or replace function storage.can_insert_object(
  bucketid text, name text, owner uuid, metadata jsonb
) returns void
language plpgsql
as $$
begin
  insert into storage.objects (bucket_id, name, owner, metadata)
  values (bucketid, name, owner, metadata);
  raise sqlstate 'PT200' using message = 'ROLLBACK', detail = 'It could be inserted; it was not.';
end;
$$;
comment on function storage.can_insert_object is
  'Try an upload as the caller: PT200 when the policies let it through, their error otherwise.';

create or replace function storage.get_common_prefix(
  p_key text, p_prefix text, p_delimiter text
) returns text
language sql immutable
as $$
  select case when p_delimiter <> '' and position(p_delimiter in rest) > 0
    then left(p_key, length(p_prefix) + position(p_delimiter in rest) + length(p_delimiter) - 1)
  end
  from substr(p_key, length(p_prefix) + 1) as rest
$$;
comment on function storage.get_common_prefix is
  'The folder under p_prefix that p_key lies in; null when it lies directly there.';

-- `levels` is accepted as older callers pass it; the depth follows from the prefix.
create or replace function storage.search(
  prefix text,
  bucketname text,
  limits integer default 100,
  levels integer default 1,
  offsets integer default 0,
  search text default '',
  sortcolumn text default 'name',
  sortorder text default 'asc'
) returns table (
  name text,
  id uuid,
  updated_at timestamptz,
  created_at timestamptz,
  last_accessed_at timestamptz,
  metadata jsonb
)
language plpgsql stable
as $$
declare
  folder text := coalesce(prefix, '');
  sort_by text := lower(coalesce(sortcolumn, 'name'));
  direction text := case when lower(sortorder) = 'desc' then 'desc' else 'asc' end;
  -- A search that names folders shows what is in them, with their names.
  depth integer := length(regexp_replace(coalesce(search, ''), '[^/]', '', 'g')) + 1;
begin
  if sort_by not in ('name', 'updated_at', 'created_at', 'last_accessed_at') then
    sort_by := 'name';
  end if;
  -- Names are sorted together; by date, folders (which have none) come first.
  return query execute format(
    $query$
      select * from (
        select distinct array_to_string((string_to_array(substr(o.name, $2), '/'))[1 : $6], '/')
            as name,
          null::uuid, null::timestamptz as updated_at, null::timestamptz as created_at,
          null::timestamptz as last_accessed_at, null::jsonb
        from storage.objects as o
        where o.bucket_id = $1 and lower(o.name) collate "C" ^@ lower($3)
          and cardinality(string_to_array(substr(o.name, $2), '/')) > $6
        union all
        select substr(o.name, $2), o.id, o.updated_at, o.created_at, o.last_accessed_at, o.metadata
        from storage.objects as o
        where o.bucket_id = $1 and lower(o.name) collate "C" ^@ lower($3)
          and cardinality(string_to_array(substr(o.name, $2), '/')) = $6
      ) as entry
      order by %1$s lower(entry.name) collate "C" %2$s
      limit $4 offset $5
    $query$,
    case when sort_by <> 'name' then format('entry.%I %s nulls first,', sort_by, direction) end,
    direction
  ) using bucketname, length(folder) + 1, folder || coalesce(search, ''),
    least(coalesce(limits, 100), 1500), coalesce(offsets, 0), depth;
end;
$$;
comment on function storage.search is
  'One level of a bucket, as the caller may see it; a folder has a name and nothing else.';

create or replace function storage.search_v2(
  prefix text,
  bucket_name text,
  limits integer default 100,
  levels integer default 1,
  start_after text default '',
  sort_order text default 'asc',
  sort_column text default 'name',
  sort_column_after text default ''
) returns table (
  key text,
  name text,
  id uuid,
  updated_at timestamptz,
  created_at timestamptz,
  last_accessed_at timestamptz,
  metadata jsonb
)
language plpgsql stable
as $$
declare
  folder text := coalesce(prefix, '');
  sort_by text := lower(coalesce(sort_column, 'name'));
  direction text := case when lower(sort_order) = 'desc' then 'desc' else 'asc' end;
  beyond text := case when direction = 'desc' then '<' else '>' end;
  past_cursor text := 'true';
begin
  if sort_by not in ('updated_at', 'created_at') then
    sort_by := 'name';
  end if;
  -- The cursor is a full name and, sorting by date, the date it had (to the millisecond).
  if coalesce(start_after, '') <> '' and sort_by = 'name' then
    past_cursor := format('entry.name collate "C" %s $4', beyond);
  elsif coalesce(start_after, '') <> '' then
    past_cursor := format(
      '(date_trunc(''milliseconds'', coalesce(entry.%I, ''epoch'')), entry.name collate "C") %s'
      || ' (coalesce(nullif($5, '''')::timestamptz, ''epoch''), $4)', sort_by, beyond);
  end if;
  return query execute format(
    $query$
      select regexp_replace(entry.name, '^(?:.*/)?([^/]+)/?$', '\1'), entry.*
      from (
        select distinct storage.get_common_prefix(o.name, $2, '/') as name, null::uuid as id,
          null::timestamptz as updated_at, null::timestamptz as created_at,
          null::timestamptz as last_accessed_at, null::jsonb as metadata
        from storage.objects as o
        where o.bucket_id = $1 and o.name collate "C" ^@ $2
          and storage.get_common_prefix(o.name, $2, '/') is not null
        union all
        select o.name, o.id, o.updated_at, o.created_at, o.last_accessed_at, o.metadata
        from storage.objects as o
        where o.bucket_id = $1 and o.name collate "C" ^@ $2
          and storage.get_common_prefix(o.name, $2, '/') is null
      ) as entry
      where %1$s
      order by %2$s entry.name collate "C" %3$s
      limit $3
    $query$,
    past_cursor,
    case when sort_by <> 'name' then format(
      'date_trunc(''milliseconds'', coalesce(entry.%I, ''epoch'')) %s,', sort_by, direction) end,
    direction
  ) using bucket_name, folder, least(coalesce(limits, 100), 1500), start_after, sort_column_after;
end;
$$;
comment on function storage.search_v2 is
  'One level of a bucket from a cursor on; a folder''s name ends with a slash, its id is null.';

create or replace function storage.list_objects_with_delimiter(
  _bucket_id text,
  prefix_param text,
  delimiter_param text,
  max_keys integer default 100,
  start_after text default '',
  next_token text default '',
  sort_order text default 'asc'
) returns table (
  name text,
  id uuid,
  metadata jsonb,
  updated_at timestamptz,
  created_at timestamptz,
  last_accessed_at timestamptz
)
language plpgsql stable
as $$
declare
  direction text := case when lower(sort_order) = 'desc' then 'desc' else 'asc' end;
begin
  return query execute format(
    $query$
      select distinct on (entry.name collate "C") entry.* from (
        select coalesce(storage.get_common_prefix(o.name, $2, $3), o.name) as name,
          case when folder is null then o.id end,
          case when folder is null then o.metadata end,
          case when folder is null then o.updated_at end,
          case when folder is null then o.created_at end,
          case when folder is null then o.last_accessed_at end
        from storage.objects as o,
          lateral storage.get_common_prefix(o.name, $2, $3) as folder
        where o.bucket_id = $1 and o.name collate "C" ^@ $2
      ) as entry
      where $5 = '' or entry.name collate "C" %1$s $5
      order by entry.name collate "C" %2$s
      limit $4
    $query$,
    case when direction = 'desc' then '<' else '>' end,
    direction
  ) using _bucket_id, coalesce(prefix_param, ''), delimiter_param, max_keys,
    coalesce(nullif(next_token, ''), start_after, '');
end;
$$;
comment on function storage.list_objects_with_delimiter is
  'A listing as S3 makes it: common prefixes and the objects beside them, in order of name.';

do $$
declare
  routine regprocedure;
begin
  for routine in
    select oid from pg_catalog.pg_proc where pronamespace = 'storage'::regnamespace
  loop
    execute format('alter function %s owner to supabase_storage_admin', routine);
  end loop;
end;
$$;
