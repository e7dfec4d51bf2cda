-- Course building: what becomes of a course: published, archived, deleted or copied.

create function public.publish_course(p_course_id uuid) returns public.courses
language plpgsql
security definer -- people may not write courses; this is their door
set search_path = ''
as $$
declare
  course public.courses;
begin
  perform app.require_admin();
  -- As app.take_course, which would ask once more who calls.
  select * into course from public.courses
  where id = p_course_id and deleted_at is null
  for update;
  if not found then
    perform app.refuse('NOT_FOUND', 'Cette formation n''existe pas.');
  end if;
  if course.course_type <> 'standard' then
    perform app.refuse('CONFLICT', 'Un parcours de client se soumet, il ne se publie pas.');
  end if;
  if not exists (select from public.course_modules where course_id = course.id) then
    perform app.refuse('INVALID', 'Ajoute au moins un module.', 'modules');
  end if;

  update public.courses set status = 'published' where id = course.id
  returning * into course;
  return course;
end;
$$;
comment on function public.publish_course is
  'Show a standard course to everybody, also one that was archived. Refuses with FORBIDDEN, '
  'NOT_FOUND, CONFLICT (a custom course) or INVALID (modules).';
grant execute on function public.publish_course to authenticated;

create function public.archive_course(p_course_id uuid) returns public.courses
language plpgsql
security definer -- people may not write courses; this is their door
set search_path = ''
as $$
declare
  course public.courses := app.take_course(p_course_id);
begin
  update public.courses set status = 'archived' where id = course.id and status <> 'archived';
  select * into course from public.courses where id = p_course_id;
  return course;
end;
$$;
comment on function public.archive_course is
  'Close a course: nobody starts it any more, and the formation that follows it ends with its '
  'Kanban. Refuses with NOT_FOUND or FORBIDDEN.';
grant execute on function public.archive_course to authenticated;

create function public.delete_course(p_course_id uuid) returns void
language plpgsql
security definer -- people may not write courses; this is their door
set search_path = ''
as $$
declare
  course constant public.courses := app.take_course(p_course_id);
begin
  update public.courses set deleted_at = clock_timestamp() where id = course.id;
end;
$$;
comment on function public.delete_course is
  'Delete a course, with what follows it; an operator can bring the row back until it is purged. '
  'Refuses with NOT_FOUND or FORBIDDEN.';
grant execute on function public.delete_course to authenticated;

create function public.duplicate_course(p_course_id uuid) returns public.courses
language plpgsql
security definer -- people may not write courses; this is their door
set search_path = ''
as $$
declare
  caller_id constant uuid := app.require_user();
  source public.courses;
  copy public.courses;
begin
  select * into source from public.courses as asked
  where id = p_course_id and app.may_read_course(asked)
  for share;
  if not found then
    perform app.refuse('NOT_FOUND', 'Cette formation n''existe pas.');
  end if;

  copy := app.add_course(
    caller_id, 'custom', left(source.title, 192) || ' (copie)', source.description);
  insert into public.course_modules
    (course_id, builder_module_id, position, title, description, duration_minutes)
  select copy.id, builder_module_id, position, title, description, duration_minutes
  from public.course_modules
  where course_id = source.id;
  select * into copy from public.courses where id = copy.id;
  return copy;
end;
$$;
comment on function public.duplicate_course is
  'Copy a course the caller can read into his custom drafts. Refuses with NOT_FOUND or '
  'QUOTA_EXCEEDED.';
grant execute on function public.duplicate_course to authenticated;
