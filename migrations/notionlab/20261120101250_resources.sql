-- Resources: files and links of a module, for whoever follows a course that holds it. A file is an
-- object of the bucket resources; its row and the object come and go together.

create table public.resources (
  id uuid primary key default gen_random_uuid(),
  builder_module_id uuid not null references public.builder_modules (id) on delete cascade,
  kind text not null default 'file',
  title text not null,
  storage_path text,
  url text,
  mime_type text,
  size_bytes bigint,
  position integer not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  constraint resources_kind_known check (kind in ('file', 'link')),
  constraint resources_file_or_link check (
    (kind = 'file') = (storage_path is not null) and (kind = 'link') = (url is not null)
  ),
  constraint resources_title_length check (char_length(btrim(title)) between 1 and 200),
  -- The folder says to whom the object may be shown.
  constraint resources_path_in_module check (starts_with(storage_path, builder_module_id || '/')),
  constraint resources_url_https check (
    url ~ '^https://[^[:space:]]+$' and char_length(url) <= 2000
  )
);
comment on table public.resources is 'Files and links of a module, by position.';
comment on column public.resources.storage_path is
  'Name of the object in the bucket resources: {builder_module_id}/{file}.';
comment on column public.resources.mime_type is 'As Storage found it.';

create unique index resources_one_per_object on public.resources (storage_path)
  where deleted_at is null;
create index resources_builder_module_id_idx on public.resources (builder_module_id, position);

create trigger resources_set_updated_at before update on public.resources
  for each row execute function app.set_updated_at();
create trigger resources_soft_delete before delete on public.resources
  for each row execute function app.soft_delete();
create trigger resources_audit after insert or update or delete on public.resources
  for each row execute function app.audit();

-- A row and its object -------------------------------------------------------------------------

create function app.removal_key(p_bucket text, p_name text) returns text
language sql immutable
set search_path = ''
as $$ select 'remove-storage-object:' || p_bucket || '/' || p_name $$;
comment on function app.removal_key is 'What keeps the removal of an object from waiting twice.';

create function app.is_object_leaving(p_bucket text, p_name text) returns boolean
language plpgsql stable -- SQL would need the queue to be there before this function
set search_path = ''
as $$
begin
  return exists (
    select from procrastinate.procrastinate_jobs
    where queueing_lock = app.removal_key(p_bucket, p_name)
      and status in ('todo', 'doing', 'failed')
  );
end;
$$;
comment on function app.is_object_leaving is
  'Whether a worker shall remove this object, and would take with it what is put there now.';

create function app.remove_resource_object() returns trigger
language plpgsql
security definer -- whoever deletes a row may not queue work
set search_path = ''
as $$
begin
  -- When the object went first there is nothing to remove, and its name may be taken again.
  if exists (
    select from storage.objects where bucket_id = 'resources' and name = old.storage_path
  ) then
    perform app.enqueue(
      'remove-storage-object',
      jsonb_build_object('bucket', 'resources', 'name', old.storage_path),
      p_queue => 'storage',
      p_dedupe_key => app.removal_key('resources', old.storage_path));
  end if;
  return null;
end;
$$;
comment on function app.remove_resource_object is
  'Leave the object of a resource that is gone to a worker: only Storage deletes its bytes.';

create trigger resources_remove_object_of_marked after update of deleted_at on public.resources
  for each row
  when (old.kind = 'file' and old.deleted_at is null and new.deleted_at is not null)
  execute function app.remove_resource_object();
create trigger resources_remove_object_of_deleted after delete on public.resources
  for each row when (old.kind = 'file' and old.deleted_at is null)
  execute function app.remove_resource_object();

create function app.follow_resource_object() returns trigger
language plpgsql
security definer -- Storage has no rights in public
set search_path = ''
as $$
begin
  if tg_op = 'DELETE' then
    update public.resources set deleted_at = clock_timestamp()
    where storage_path = old.name and deleted_at is null;
  else
    update public.resources set
      mime_type = new.metadata ->> 'mimetype',
      size_bytes = (new.metadata ->> 'size')::bigint
    where storage_path = new.name and deleted_at is null;
  end if;
  return null;
end;
$$;
comment on function app.follow_resource_object is
  'Carry to its resource what becomes of an object: other content, or none.';

create trigger resources_follow_replaced_object after update of metadata on storage.objects
  for each row when (new.bucket_id = 'resources') execute function app.follow_resource_object();
create trigger resources_follow_deleted_object after delete on storage.objects
  for each row when (old.bucket_id = 'resources') execute function app.follow_resource_object();

create function app.keep_resource_name() returns trigger
language plpgsql
security definer -- Storage has no rights in public
set search_path = ''
as $$
begin
  if exists (
    select from public.resources where storage_path = old.name and deleted_at is null
  ) then
    perform app.refuse('CONFLICT', 'Ce fichier appartient à une ressource.', null,
      'Supprime la ressource, puis ajoute le fichier ailleurs.');
  end if;
  return new;
end;
$$;
comment on function app.keep_resource_name is
  'An object stays where its resource says. Refuses with CONFLICT.';

create trigger resources_keep_name before update of name, bucket_id on storage.objects
  for each row
  when (
    old.bucket_id = 'resources'
    and (old.bucket_id, old.name) is distinct from (new.bucket_id, new.name)
  )
  execute function app.keep_resource_name();

-- Who may see and write ------------------------------------------------------------------------

create function app.followed_module_ids() returns uuid[]
language plpgsql stable
security definer -- it stands under the policies of the tables it reads
set search_path = ''
-- Its plan is good for whoever asks, and takes longer to make than the answer.
set plan_cache_mode = force_generic_plan
as $$
declare
  caller_id constant uuid := app.current_user_id();
begin
  return array(
    select unnest(kept.builder_module_ids)
    from public.user_courses as mine
    join public.course_versions as kept
      on kept.course_id = mine.course_id and kept.version = mine.course_version
    where mine.user_id = caller_id
    union all
    select unnest(snapshot.builder_module_ids)
    from public.user_formations as followed
    join public.user_formation_snapshots as snapshot
      on snapshot.submission_id = followed.submission_id
    where followed.user_id = caller_id and followed.ended_at is null
    union all
    select unnest(snapshot.builder_module_ids)
    from public.user_formations as followed
    join public.user_formation_snapshots as snapshot
      on snapshot.submission_id = followed.submission_id
    where followed.prof_id = caller_id and followed.ended_at is null
  );
end;
$$;
comment on function app.followed_module_ids is
  'The modules of the palette in courses that the caller follows or accompanies now.';
grant execute on function app.followed_module_ids to authenticated, service_role;

create function app.formerly_followed_module_ids() returns uuid[]
language plpgsql stable
security definer -- it stands under the policies of the tables it reads
set search_path = ''
as $$
declare
  caller_id constant uuid := app.current_user_id();
begin
  return array(
    select distinct unnest(snapshot.builder_module_ids)
    from public.user_formations as followed
    join public.user_formation_snapshots as snapshot
      on snapshot.submission_id = followed.submission_id
    where (followed.user_id = caller_id or followed.prof_id = caller_id)
      and followed.ended_at is not null
  );
end;
$$;
comment on function app.formerly_followed_module_ids is
  'The modules of the palette in formations of the caller, or of his clients, that have ended.';
grant execute on function app.formerly_followed_module_ids to authenticated, service_role;

alter table public.resources enable row level security;
create policy resources_select_followed_or_staff on public.resources for select to authenticated
  using (
    deleted_at is null
    and (
      -- The short list first: the long one is only made for a row that needs it.
      builder_module_id = any ((select app.followed_module_ids())::uuid[])
      or (select app.current_user_type() in ('admin', 'owner'))
      or builder_module_id = any ((select app.formerly_followed_module_ids())::uuid[])
    )
  );
create policy resources_update_staff on public.resources for update to authenticated
  using (deleted_at is null and (select public.is_admin_or_owner((select auth.uid()))))
  with check (deleted_at is null and (select public.is_admin_or_owner((select auth.uid()))));
create policy resources_delete_staff on public.resources for delete to authenticated
  using (deleted_at is null and (select public.is_admin_or_owner((select auth.uid()))));
-- A resource begins in add_module_resource, which looks whether the object is there.
grant select, update (title, position), delete on public.resources to authenticated;
grant select, insert, update, delete on public.resources to service_role;

create policy resources_objects_select_followed_or_staff on storage.objects
  for select to authenticated
  using (
    bucket_id = 'resources'
    and (
      (storage.foldername(name))[1] = any ((select app.followed_module_ids()::text[])::text[])
      or (select public.is_admin_or_owner((select auth.uid())))
      or (storage.foldername(name))[1]
        = any ((select app.formerly_followed_module_ids()::text[])::text[])
    )
  );
create policy resources_objects_insert_staff on storage.objects for insert to authenticated
  with check (
    bucket_id = 'resources' and (select public.is_admin_or_owner((select auth.uid())))
  );
create policy resources_objects_update_staff on storage.objects for update to authenticated
  using (bucket_id = 'resources' and (select public.is_admin_or_owner((select auth.uid()))))
  with check (bucket_id = 'resources' and (select public.is_admin_or_owner((select auth.uid()))));
create policy resources_objects_delete_staff on storage.objects for delete to authenticated
  using (bucket_id = 'resources' and (select public.is_admin_or_owner((select auth.uid()))));

-- What may be asked ----------------------------------------------------------------------------

create function public.add_module_resource(
  p_builder_module_id uuid,
  p_title text,
  p_storage_path text default null,
  p_url text default null
) returns public.resources
language plpgsql
security definer -- people may not write resources; this is the door of staff
set search_path = ''
as $$
declare
  told jsonb;
  resource public.resources;
begin
  perform app.require_admin();
  perform app.check_resource_words(p_title, p_storage_path, p_url);
  -- Held, so that two resources added at once take two places.
  perform from public.builder_modules
  where id = p_builder_module_id and deleted_at is null
  for no key update;
  if not found then
    perform app.refuse('NOT_FOUND', 'Ce module n''existe pas dans la palette.');
  end if;
  if p_storage_path is not null then
    select metadata into told from storage.objects
    where bucket_id = 'resources' and name = p_storage_path
      and starts_with(name, p_builder_module_id || '/')
    for key share;
    if not found then
      perform app.refuse(
        'NOT_FOUND', 'Ce fichier n''a pas été envoyé dans le dossier du module.');
    end if;
  end if;

  insert into public.resources
    (builder_module_id, kind, title, storage_path, url, mime_type, size_bytes, position)
  select
    p_builder_module_id, case when p_url is null then 'file' else 'link' end, btrim(p_title),
    p_storage_path, p_url, told ->> 'mimetype', (told ->> 'size')::bigint,
    coalesce(max(position) + 1, 0)
  from public.resources
  where builder_module_id = p_builder_module_id and deleted_at is null
  returning * into resource;
  -- Looked for last: a deletion that the new row had to wait for has queued its job by now.
  if app.is_object_leaving('resources', p_storage_path) then
    perform app.refuse('CONFLICT', 'Ce fichier est en cours de suppression.', null,
      'Envoie-le sous un autre nom.');
  end if;
  return resource;
exception
  when unique_violation then
    perform app.refuse('CONFLICT', 'Ce fichier est déjà une ressource.');
end;
$$;
comment on function public.add_module_resource is
  'Attach to a module of the palette a file that was uploaded to {module}/…, or an https link. '
  'Refuses with FORBIDDEN, NOT_FOUND (module or file), INVALID (title, storage_path, url) or '
  'CONFLICT (that file is attached already, or being removed).';
grant execute on function public.add_module_resource to authenticated;

create function app.check_resource_words(p_title text, p_storage_path text, p_url text)
returns void
language plpgsql immutable
set search_path = ''
as $$
begin
  if coalesce(char_length(btrim(p_title)), 0) not between 1 and 200 then
    perform app.refuse('INVALID', 'Donne un titre de 200 caractères au plus.', 'title');
  end if;
  if num_nonnulls(p_storage_path, p_url) <> 1 then
    perform app.refuse('INVALID', 'Donne un fichier ou une adresse.', 'storage_path');
  end if;
  if p_url !~ '^https://[^[:space:]]+$' or char_length(p_url) > 2000 then
    perform app.refuse('INVALID', 'Donne une adresse qui commence par https://.', 'url');
  end if;
end;
$$;
comment on function app.check_resource_words is
  'Refuse with INVALID (title, storage_path, url) what no resource can be.';
