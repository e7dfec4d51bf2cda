-- Courses: staff publish standard courses, clients compose their own. Every change of what a
-- course says makes a new version of it.

create table public.courses (
  id uuid primary key default gen_random_uuid(),
  course_type text not null default 'custom',
  status text not null default 'draft',
  author_id uuid references public.profiles (id) on delete set null,
  title text not null,
  slug text not null,
  description text not null default '',
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  constraint courses_course_type_known check (course_type in ('standard', 'custom')),
  constraint courses_status_known check (
    status in ('draft', 'submitted', 'published', 'archived')
  ),
  -- Nobody submits a standard course: whoever writes it may publish it.
  constraint courses_standard_not_submitted check (
    course_type = 'custom' or status <> 'submitted'
  ),
  constraint courses_custom_has_author check (course_type = 'standard' or author_id is not null),
  constraint courses_title_length check (char_length(btrim(title)) between 1 and 200),
  constraint courses_slug_form check (
    slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and char_length(slug) <= 120
  ),
  constraint courses_description_length check (char_length(description) <= 5000),
  constraint courses_version_positive check (version > 0)
);
comment on table public.courses is
  'Standard courses that staff publish, and custom ones that clients compose and submit.';
comment on column public.courses.status is
  'A standard course is drafted, then published by staff. A custom one is drafted, submitted, '
  'then published to its author alone while he follows it. Archived, either is closed.';
comment on column public.courses.slug is 'Its name in addresses; it stays when the title changes.';
comment on column public.courses.author_id is
  'Who wrote it; a custom course goes with its author, a standard one stays without.';
comment on column public.courses.version is
  'Counts every change of what its followers would read: title, description, modules, order. It '
  'may skip numbers (a module put between others moves those too), and never shares one.';

create table public.course_modules (
  id uuid primary key default gen_random_uuid(),
  course_id uuid not null references public.courses (id) on delete cascade,
  builder_module_id uuid not null references public.builder_modules (id) on delete cascade,
  position integer not null,
  title text,
  description text,
  duration_minutes integer,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  -- At the end of a statement, so that one UPDATE may shift them all.
  constraint course_modules_one_per_position unique (course_id, position) deferrable,
  constraint course_modules_position_natural check (position >= 0),
  constraint course_modules_title_length check (char_length(btrim(title)) between 1 and 200),
  constraint course_modules_description_length check (char_length(description) <= 5000),
  constraint course_modules_duration_sensible check (duration_minutes between 1 and 6000)
);
comment on table public.course_modules is
  'The modules of a course in order, numbered from 0 without gaps.';
comment on column public.course_modules.id is
  'What snapshots, versions, cards and done_modules call module_uuid.';
comment on column public.course_modules.title is 'Instead of the palette''s; null keeps that one.';
comment on column public.course_modules.description is
  'Instead of the palette''s; null keeps that one.';
comment on column public.course_modules.duration_minutes is
  'Instead of the palette''s; null keeps that one.';

create unique index courses_slug_idx on public.courses (slug) where deleted_at is null;
create index courses_author_id_idx on public.courses (author_id, created_at desc);
-- Type and status are columns of it, not its condition: so a plan that is kept finds it too.
create index courses_catalogue_idx on public.courses (course_type, status, title, id)
  where deleted_at is null;
-- app.courses_named has to write the same expression, or PostgreSQL would not use the index.
create index courses_words_idx
  on public.courses using gin (app.plain(' ' || title) extensions.gin_trgm_ops);
-- They are few: lists of submissions and formations leave out what belongs to them.
create index courses_deleted_idx on public.courses (id) where deleted_at is not null;
create index course_modules_builder_module_id_idx on public.course_modules (builder_module_id);

create trigger courses_set_updated_at before update on public.courses
  for each row execute function app.set_updated_at();
create trigger course_modules_set_updated_at before update on public.course_modules
  for each row execute function app.set_updated_at();
create trigger courses_soft_delete before delete on public.courses
  for each row execute function app.soft_delete();
create trigger courses_audit after insert or update or delete on public.courses
  for each row execute function app.audit();

-- What must hold, whoever writes ---------------------------------------------------------------

create function app.count_course_version() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  new.version := old.version + 1;
  return new;
end;
$$;
comment on function app.count_course_version is 'A course that reads otherwise is a new version.';

create trigger courses_count_version before update of title, description on public.courses
  for each row
  when ((old.title, old.description) is distinct from (new.title, new.description))
  execute function app.count_course_version();

create function app.count_versions_of_changed() returns trigger
language plpgsql
security definer -- people may not write courses
set search_path = ''
as $$
begin
  update public.courses set version = version + 1
  where id in (select course_id from changed);
  return null;
end;
$$;
comment on function app.count_versions_of_changed is
  'A course whose modules change, or their order, is a new version.';

create trigger course_modules_count_added after insert on public.course_modules
  referencing new table as changed
  for each statement execute function app.count_versions_of_changed();
-- Not of the numbers that app.close_ranks writes: the removal counts already.
create trigger course_modules_count_changed after update on public.course_modules
  referencing new table as changed
  for each statement when (pg_trigger_depth() = 0)
  execute function app.count_versions_of_changed();
create trigger course_modules_count_removed after delete on public.course_modules
  referencing old table as changed
  for each statement execute function app.count_versions_of_changed();

create function app.count_versions_using_module() returns trigger
language plpgsql
security definer -- people may not write courses
set search_path = ''
as $$
declare
  -- Courses that say it in words of their own read as before.
  concerned constant uuid[] := array(
    select course_id from public.course_modules
    where builder_module_id = new.id
      and (
        title is null and new.title <> old.title
        or description is null and new.description <> old.description
        or duration_minutes is null and new.duration_minutes <> old.duration_minutes
      )
  );
begin
  -- In the same order for everybody, or two edits of the palette could wait for each other.
  perform from public.courses where id = any (concerned) order by id for no key update;
  update public.courses set version = version + 1 where id = any (concerned);
  return null;
end;
$$;
comment on function app.count_versions_using_module is
  'A course reads otherwise when the palette does, unless it has words of its own.';

create trigger builder_modules_count_versions
  after update of title, description, duration_minutes on public.builder_modules
  for each row
  when (
    (old.title, old.description, old.duration_minutes)
    is distinct from (new.title, new.description, new.duration_minutes)
  )
  execute function app.count_versions_using_module();

create function app.close_ranks() returns trigger
language plpgsql
security definer -- people may not write course_modules
set search_path = ''
as $$
begin
  -- Found by course and place, so that no plan reads the modules of every course.
  update public.course_modules as module
  set position = module.position - (
    select count(*) from removed
    where removed.course_id = module.course_id and removed.position < module.position)
  from (select course_id, min(position) as first from removed group by course_id) as gap
  where module.course_id = gap.course_id and module.position > gap.first;
  return null;
end;
$$;
comment on function app.close_ranks is 'What remains of a course is numbered from 0 without gaps.';

create trigger course_modules_close_ranks after delete on public.course_modules
  referencing old table as removed
  for each statement execute function app.close_ranks();

create function app.delete_custom_courses() returns trigger
language plpgsql
security definer -- an account goes whoever deletes it
set search_path = ''
as $$
begin
  delete from public.courses where author_id = old.id and course_type = 'custom';
  return old;
end;
$$;
comment on function app.delete_custom_courses is 'Custom courses go with their author, for good.';

create trigger courses_follow_author before delete on public.profiles
  for each row execute function app.delete_custom_courses();

-- Who may see and write ------------------------------------------------------------------------

create function app.assigned_course_ids() returns uuid[]
language plpgsql stable
security definer -- it stands under the policies of the tables it reads
set search_path = ''
as $$
begin
  return array(
    select course_id from public.user_formations where prof_id = app.current_user_id());
end;
$$;
comment on function app.assigned_course_ids is
  'The courses whose formations the caller accompanies, as prof.';
grant execute on function app.assigned_course_ids to authenticated, service_role;

alter table public.courses enable row level security;
create policy courses_select_own_published_assigned_or_staff on public.courses
  for select to authenticated
  using (
    deleted_at is null
    and (
      author_id = (select app.current_user_id())
      or course_type = 'standard' and status = 'published'
        and (select app.current_user_id()) is not null
      or id = any ((select app.assigned_course_ids())::uuid[])
      or (select app.current_user_type() in ('admin', 'owner'))
    )
  );
-- People write through the functions of course building, which know who may change what, and when.
grant select on public.courses to authenticated;
grant select, insert, update, delete on public.courses to service_role;

create function app.written_course_ids() returns uuid[]
language sql stable
security definer -- it stands under the policies of the table it reads
set search_path = ''
as $$
  select array(
    select id from public.courses where author_id = app.current_user_id() and deleted_at is null);
$$;
comment on function app.written_course_ids is 'The courses that the caller has written.';
grant execute on function app.written_course_ids to authenticated, service_role;

create function app.offered_course_ids() returns uuid[]
language plpgsql stable
security definer -- it stands under the policies of the tables it reads
set search_path = ''
as $$
begin
  return array(
    select id from public.courses
    where id = any ((select app.assigned_course_ids())::uuid[]) and deleted_at is null
    union all
    select id from public.courses
    where course_type = 'standard' and status = 'published' and deleted_at is null
      and (select app.current_user_id()) is not null
  );
end;
$$;
comment on function app.offered_course_ids is
  'The courses of others that the caller may read: those he accompanies, and the published.';
grant execute on function app.offered_course_ids to authenticated, service_role;

create function app.deleted_course_ids() returns uuid[]
language sql stable
security definer -- it stands under the policies of the table it reads
set search_path = ''
as $$
  select array(select id from public.courses where deleted_at is not null);
$$;
comment on function app.deleted_course_ids is
  'The courses that are deleted and not purged yet: staff do not see them either.';
grant execute on function app.deleted_course_ids to authenticated, service_role;

alter table public.course_modules enable row level security;
create policy course_modules_select_readable_or_staff on public.course_modules
  for select to authenticated
  using (
    -- The short list first: the long one is only made for a row that needs it.
    course_id = any ((select app.written_course_ids())::uuid[])
    or (select app.current_user_type() in ('admin', 'owner'))
      and course_id <> all ((select app.deleted_course_ids())::uuid[])
    or course_id = any ((select app.offered_course_ids())::uuid[])
  );
-- People write through the functions of course building, which keep the numbers without gaps.
grant select on public.course_modules to authenticated;
grant select, insert, update, delete on public.course_modules to service_role;
