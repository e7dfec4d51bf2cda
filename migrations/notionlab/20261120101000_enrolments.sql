-- Enrolments: who follows a standard course, in which of its versions, and how far.

create table public.course_versions (
  course_id uuid not null references public.courses (id) on delete cascade,
  version integer not null,
  content jsonb not null,
  content_hash text not null,
  builder_module_ids uuid[] not null generated always as (app.modules_in(content)) stored,
  created_at timestamptz not null default now(),
  primary key (course_id, version),
  constraint course_versions_content_object check (jsonb_typeof(content) = 'object')
);
comment on table public.course_versions is
  'What a standard course said in the versions in which people began it; never changed.';
comment on column public.course_versions.content is
  'As user_formation_snapshots.content: title, description, version and modules in order.';
comment on column public.course_versions.builder_module_ids is
  'The modules of the palette in it: whoever follows it sees their resources.';

create table public.user_courses (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references public.profiles (id) on delete cascade,
  course_id uuid not null,
  course_version integer not null,
  done_modules uuid[] not null default '{}',
  enrolled_at timestamptz not null default now(),
  completed_at timestamptz,
  last_activity_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint user_courses_one_per_course unique (user_id, course_id),
  constraint user_courses_version_kept foreign key (course_id, course_version)
    references public.course_versions (course_id, version) on delete cascade
);
comment on table public.user_courses is
  'Somebody follows a standard course, in the version it had when he began.';
comment on column public.user_courses.done_modules is 'module_uuid of what he has finished.';
comment on column public.user_courses.completed_at is 'When the last module was done.';

create index user_courses_version_idx on public.user_courses (course_id, course_version);
create index user_courses_activity_idx on public.user_courses (last_activity_at desc, id desc);

create trigger user_courses_set_updated_at before update on public.user_courses
  for each row execute function app.set_updated_at();

create function app.end_enrolments() returns trigger
language plpgsql
security definer -- people may not write user_courses
set search_path = ''
as $$
begin
  delete from public.course_versions where course_id = new.id;
  return null;
end;
$$;
comment on function app.end_enrolments is 'Nobody follows a course that is deleted.';

create trigger courses_end_enrolments after update of deleted_at on public.courses
  for each row when (old.deleted_at is null and new.deleted_at is not null)
  execute function app.end_enrolments();

alter table public.user_courses enable row level security;
create policy user_courses_select_own_or_staff on public.user_courses for select to authenticated
  using (
    user_id = (select app.current_user_id())
    or (select public.is_admin_or_owner((select auth.uid())))
  );
-- People write through the functions below, which choose the version and count what is done.
grant select on public.user_courses to authenticated;
grant select, insert, update, delete on public.user_courses to service_role;

create function app.followed_course_ids() returns uuid[]
language sql stable
security definer -- it stands under the policies of the table it reads
set search_path = ''
as $$
  select array(select course_id from public.user_courses where user_id = app.current_user_id());
$$;
comment on function app.followed_course_ids is 'The standard courses that the caller follows.';
grant execute on function app.followed_course_ids to authenticated, service_role;

alter table public.course_versions enable row level security;
create policy course_versions_select_followed_or_staff on public.course_versions
  for select to authenticated
  using (
    course_id = any ((select app.followed_course_ids())::uuid[])
    or (select public.is_admin_or_owner((select auth.uid())))
  );
-- Written when somebody enrols, and by nobody else: what he follows must not change.
grant select on public.course_versions to authenticated, service_role;

create function app.keep_version(p_course_id uuid) returns public.course_versions
language plpgsql
set search_path = ''
as $$
declare
  said jsonb;
  kept public.course_versions;
begin
  select version.* into kept
  from public.courses as course
  join public.course_versions as version
    on version.course_id = course.id and version.version = course.version
  where course.id = p_course_id;
  if not found then
    said := app.course_content(p_course_id);
    insert into public.course_versions (course_id, version, content, content_hash)
    values (p_course_id, (said ->> 'version')::integer, said, app.content_hash(said))
    returning * into kept;
  end if;
  return kept;
end;
$$;
comment on function app.keep_version is
  'Keep what a course says now, once for each version; whoever calls holds the course.';

create function app.take_published_course(p_course_id uuid) returns public.courses
language plpgsql
set search_path = ''
as $$
declare
  course public.courses;
begin
  -- Held: what is kept is one version, not half of the next.
  select asked.* into course from app.caller cross join public.courses as asked
  where asked.id = p_course_id and course_type = 'standard' and status = 'published'
    and deleted_at is null
  for no key update of asked;
  if not found then
    perform app.require_user();
    perform app.refuse('NOT_FOUND', 'Cette formation n''existe pas.');
  end if;
  return course;
end;
$$;
comment on function app.take_published_course is
  'Lock a course that anybody may follow. Refuses with NOT_FOUND.';

create function public.enrol_in_course(p_course_id uuid) returns public.user_courses
language plpgsql
security definer -- people may not write user_courses; this is their door
set search_path = ''
as $$
declare
  course constant public.courses := app.take_published_course(p_course_id);
  enrolment public.user_courses;
begin
  select * into enrolment from public.user_courses
  where user_id = auth.uid() and course_id = course.id;
  if found then
    return enrolment;
  end if;

  insert into public.user_courses (user_id, course_id, course_version)
  select auth.uid(), course_id, version from public.course_versions
  where course_id = course.id and version = course.version
  returning * into enrolment;
  if not found then -- he is the first who begins with this version
    perform app.keep_version(course.id);
    insert into public.user_courses (user_id, course_id, course_version)
    values (auth.uid(), course.id, course.version)
    returning * into enrolment;
  end if;
  return enrolment;
end;
$$;
comment on function public.enrol_in_course is
  'Follow a published standard course from now on, as it reads now; a second call changes '
  'nothing. Refuses with NOT_FOUND.';
grant execute on function public.enrol_in_course to authenticated;

create function app.take_enrolment(p_course_id uuid) returns public.user_courses
language plpgsql
set search_path = ''
as $$
declare
  enrolment public.user_courses;
begin
  select mine.* into enrolment
  from app.caller join public.user_courses as mine on mine.user_id = caller.id
  where mine.course_id = p_course_id
  for update of mine;
  if not found then
    perform app.require_user();
    perform app.refuse('NOT_FOUND', 'Tu ne suis pas cette formation.');
  end if;
  return enrolment;
end;
$$;
comment on function app.take_enrolment is
  'Lock the caller''s enrolment in a course. Refuses with NOT_FOUND.';

create function public.upgrade_enrolment(p_course_id uuid) returns public.user_courses
language plpgsql
security definer -- people may not write user_courses; this is their door
set search_path = ''
as $$
declare
  course constant public.courses := app.take_published_course(p_course_id);
  enrolment public.user_courses := app.take_enrolment(p_course_id);
  kept public.course_versions;
begin
  if enrolment.course_version < course.version then
    kept := app.keep_version(course.id);
    enrolment := app.count_done(
      enrolment.id, kept.version, kept.content -> 'modules', enrolment.done_modules);
  end if;
  return enrolment;
end;
$$;
comment on function public.upgrade_enrolment is
  'Go on with the course as it reads now, keeping what is done of the modules it still has. '
  'Refuses with NOT_FOUND.';
grant execute on function public.upgrade_enrolment to authenticated;

create function public.set_enrolment_module_done(
  p_course_id uuid,
  p_module_uuid uuid,
  p_done boolean default true
) returns public.user_courses
language plpgsql
security definer -- people may not write user_courses; this is their door
set search_path = ''
as $$
declare
  enrolment constant public.user_courses := app.take_enrolment(p_course_id);
  modules constant jsonb := (
    select content -> 'modules' from public.course_versions
    where course_id = enrolment.course_id and version = enrolment.course_version);
begin
  if p_done is null then
    perform app.refuse('INVALID', 'Dis si c''est fait ou non.', 'done');
  end if;
  if not modules @> jsonb_build_array(jsonb_build_object('module_uuid', p_module_uuid)) then
    perform app.refuse('NOT_FOUND', 'Ce module n''existe pas dans ta formation.');
  end if;

  return app.count_done(enrolment.id, enrolment.course_version, modules,
    array_remove(enrolment.done_modules, p_module_uuid)
      || case when p_done then array[p_module_uuid] else '{}' end);
end;
$$;
comment on function public.set_enrolment_module_done is
  'Note that a module of a standard course is done, or not after all. Refuses with NOT_FOUND or '
  'INVALID (done).';
grant execute on function public.set_enrolment_module_done to authenticated;

create function app.count_done(
  p_enrolment_id uuid,
  p_version integer,
  p_modules jsonb,
  p_done uuid[]
) returns public.user_courses
language plpgsql
set search_path = ''
as $$
declare
  done constant uuid[] := array(
    select (module ->> 'module_uuid')::uuid
    from jsonb_array_elements(p_modules) as module
    where (module ->> 'module_uuid')::uuid = any (p_done)
  );
  is_complete constant boolean := cardinality(done) = jsonb_array_length(p_modules);
  enrolment public.user_courses;
begin
  update public.user_courses set
    course_version = p_version,
    done_modules = done,
    completed_at = case
      when is_complete and cardinality(done) > 0 then coalesce(completed_at, clock_timestamp())
    end,
    last_activity_at = clock_timestamp()
  where id = p_enrolment_id
  returning * into enrolment;
  return enrolment;
end;
$$;
comment on function app.count_done is
  'Set the version that is followed and what is done of it; complete when nothing is missing.';

create function public.leave_course(p_course_id uuid) returns void
language plpgsql
security definer -- people may not write user_courses; this is their door
set search_path = ''
as $$
begin
  delete from public.user_courses
  where user_id = (select id from app.caller) and course_id = p_course_id;
  if not found then
    perform app.require_user();
    perform app.refuse('NOT_FOUND', 'Tu ne suis pas cette formation.');
  end if;
end;
$$;
comment on function public.leave_course is
  'Follow a standard course no longer; what was done is forgotten. Refuses with NOT_FOUND.';
grant execute on function public.leave_course to authenticated;
