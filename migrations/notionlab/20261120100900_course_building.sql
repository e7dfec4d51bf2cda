-- Course building: a draft is composed from the palette by drag and drop, then published,
-- archived, deleted or copied. Every function holds its course, so that two people never mix
-- their changes.

create function app.take_course(p_course_id uuid) returns public.courses
language plpgsql
set search_path = ''
as $$
declare
  course public.courses;
begin
  select asked.* into course from app.caller cross join public.courses as asked
  -- The usual ones first, who need no more asking: its author, then staff.
  where asked.id = p_course_id and asked.deleted_at is null
    and (
      asked.author_id = caller.id
      or caller.user_type_id in ('admin', 'owner')
      or app.may_read_course(asked)
    )
  for update of asked;
  if not found then
    perform app.require_user();
    perform app.refuse('NOT_FOUND', 'Cette formation n''existe pas.');
  end if;
  if (course.course_type <> 'custom' or course.author_id <> auth.uid())
    and not public.is_admin_or_owner(auth.uid())
  then
    perform app.refuse('FORBIDDEN', 'Tu ne peux pas modifier cette formation.');
  end if;
  return course;
end;
$$;
comment on function app.take_course is
  'Lock a course that the caller may change: its author or staff; staff alone for a standard one. '
  'Refuses with NOT_FOUND or FORBIDDEN.';

create function app.take_open_course(p_course_id uuid) returns public.courses
language plpgsql
set search_path = ''
as $$
declare
  course constant public.courses := app.take_course(p_course_id);
begin
  if course.status = 'archived' then
    perform app.refuse('CONFLICT', 'Cette formation est archivée.', null,
      'Duplique-la pour la reprendre.');
  end if;
  return course;
end;
$$;
comment on function app.take_open_course is
  'As app.take_course; an archived course stays as it is. Refuses with CONFLICT too.';

create function app.slug_for(p_title text, p_id uuid) returns text
language sql immutable
set search_path = ''
as $$
  select concat_ws('-',
    nullif(btrim(left(regexp_replace(app.plain(p_title), '[^a-z0-9]+', '-', 'g'), 80), '-'), ''),
    left(p_id::text, 8));
$$;
comment on function app.slug_for is 'The name of a course in addresses: its title, and who it is.';

create function public.create_course(
  p_title text,
  p_description text default '',
  p_course_type text default 'custom'
) returns public.courses
language plpgsql
security definer -- people may not write courses; this is their door
set search_path = ''
as $$
declare
  caller_id constant uuid := app.require_user();
begin
  if p_course_type is null or p_course_type not in ('standard', 'custom') then
    perform app.refuse('INVALID', 'Ce genre de formation n''existe pas.', 'course_type');
  end if;
  if p_course_type = 'standard' then
    perform app.require_admin();
  end if;
  return app.add_course(caller_id, p_course_type, p_title, p_description);
end;
$$;
comment on function public.create_course is
  'Start an empty draft: custom for anybody, standard for staff. Refuses with FORBIDDEN, INVALID '
  '(title, description, course_type), QUOTA_EXCEEDED beyond 100 custom courses.';
grant execute on function public.create_course to authenticated;

create function app.add_course(
  p_author_id uuid,
  p_course_type text,
  p_title text,
  p_description text
) returns public.courses
language plpgsql
set search_path = ''
as $$
declare
  new_id constant uuid := gen_random_uuid();
  course public.courses;
begin
  perform app.check_course_words(p_title, p_description);
  -- Held, so that two drafts started at once are counted one after the other.
  perform from public.profiles where id = p_author_id for no key update;
  if p_course_type = 'custom' and 100 <= (
    select count(*) from public.courses
    where author_id = p_author_id and course_type = 'custom' and deleted_at is null
  ) then
    perform app.refuse('QUOTA_EXCEEDED', 'Tu as déjà 100 parcours.', null,
      'Supprime ceux dont tu ne te sers plus.');
  end if;

  insert into public.courses (id, course_type, author_id, title, slug, description)
  values (
    new_id, p_course_type, p_author_id, btrim(p_title), app.slug_for(p_title, new_id),
    coalesce(btrim(p_description), ''))
  returning * into course;
  return course;
end;
$$;
comment on function app.add_course is
  'A new draft of an author. Refuses with INVALID (title, description) or QUOTA_EXCEEDED.';

create function app.check_course_words(p_title text, p_description text) returns void
language plpgsql immutable
set search_path = ''
as $$
begin
  if coalesce(char_length(btrim(p_title)), 0) not between 1 and 200 then
    perform app.refuse('INVALID', 'Donne un titre de 200 caractères au plus.', 'title');
  end if;
  if char_length(btrim(p_description)) > 5000 then
    perform app.refuse('INVALID', 'La description fait 5000 caractères au plus.', 'description');
  end if;
end;
$$;
comment on function app.check_course_words is
  'Refuse with INVALID (title, description) what is empty or too long.';

create function public.update_course(
  p_course_id uuid,
  p_title text default null,
  p_description text default null
) returns public.courses
language plpgsql
security definer -- people may not write courses; this is their door
set search_path = ''
as $$
declare
  course public.courses := app.take_open_course(p_course_id);
begin
  perform app.check_course_words(coalesce(p_title, course.title), p_description);

  update public.courses set
    title = coalesce(btrim(p_title), title),
    description = coalesce(btrim(p_description), description)
  where id = course.id
  returning * into course;
  return course;
end;
$$;
comment on function public.update_course is
  'Change the title or the description; what is null stays. Refuses with NOT_FOUND, FORBIDDEN, '
  'CONFLICT (archived) or INVALID (title, description).';
grant execute on function public.update_course to authenticated;
