-- Course building: a draft is composed from the palette by drag and drop, then published,
-- archived, deleted or copied. Every function holds its course, so that two people never mix
-- their changes.

-- Composing one --------------------------------------------------------------------------------

create function app.take_course(p_course_id uuid) returns public.courses
language plpgsql
set search_path = ''
as $$
declare
  caller_id constant uuid := app.require_user();
  course public.courses;
begin
  select * into course from public.courses as asked
  -- His own is the usual one, and asks nobody else.
  where id = p_course_id
    and (author_id = caller_id and deleted_at is null or app.may_read_course(asked))
  for update;
  if not found then
    perform app.refuse('NOT_FOUND', 'Cette formation n''existe pas.');
  end if;
  if (course.course_type <> 'custom' or course.author_id <> caller_id)
    and not public.is_admin_or_owner(caller_id)
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

create function public.add_course_module(
  p_course_id uuid,
  p_builder_module_id uuid,
  p_position integer default null
) returns public.course_modules
language plpgsql
security definer -- people may not write course_modules; this is their door
set search_path = ''
as $$
declare
  course public.courses;
  total integer;
  module public.course_modules;
begin
  perform app.require_user();
  -- The palette before the course, in the order of its own edits: they wait, and then count this.
  perform from public.builder_modules where id = p_builder_module_id for share;
  course := app.take_open_course(p_course_id);
  if not exists (
    select from public.builder_modules
    where id = p_builder_module_id and is_active and deleted_at is null
      and subfamily_id = any (app.shown_subfamily_ids())
  ) then
    perform app.refuse('NOT_FOUND', 'Ce module n''existe pas dans la palette.');
  end if;
  if p_position < 0 then
    perform app.refuse('INVALID', 'Cette place n''existe pas.', 'position');
  end if;
  select count(*) into total from public.course_modules where course_id = course.id;
  if total >= 100 then
    perform app.refuse('QUOTA_EXCEEDED', 'Une formation a 100 modules au plus.');
  end if;

  update public.course_modules set position = position + 1
  where course_id = course.id and position >= p_position;
  insert into public.course_modules (course_id, builder_module_id, position)
  values (course.id, p_builder_module_id, least(coalesce(p_position, total), total))
  returning * into module;
  return module;
end;
$$;
comment on function public.add_course_module is
  'Put a module of the palette into a course, at a place counted from 0 or at the end. Refuses '
  'with NOT_FOUND, FORBIDDEN, CONFLICT (archived), INVALID (position), QUOTA_EXCEEDED beyond 100.';
grant execute on function public.add_course_module to authenticated;

create function app.take_course_module(p_course_module_id uuid) returns public.course_modules
language plpgsql
set search_path = ''
as $$
declare
  of_course constant uuid := (
    select course_id from public.course_modules where id = p_course_module_id);
  module public.course_modules;
begin
  if of_course is null then
    perform app.require_user();
    perform app.refuse('NOT_FOUND', 'Ce module n''existe pas.');
  end if;
  perform app.take_open_course(of_course);
  -- Somebody may have removed it while the course was his.
  select * into module from public.course_modules where id = p_course_module_id;
  if not found then
    perform app.refuse('NOT_FOUND', 'Ce module n''existe pas.');
  end if;
  return module;
end;
$$;
comment on function app.take_course_module is
  'A module of a course that the caller may change, with the course locked. Refuses with '
  'NOT_FOUND, FORBIDDEN or CONFLICT.';

create function public.update_course_module(
  p_course_module_id uuid,
  p_title text default null,
  p_description text default null,
  p_duration_minutes integer default null
) returns public.course_modules
language plpgsql
security definer -- people may not write course_modules; this is their door
set search_path = ''
as $$
declare
  module public.course_modules := app.take_course_module(p_course_module_id);
begin
  perform app.check_course_words(coalesce(p_title, 'celui de la palette'), p_description);
  if p_duration_minutes not between 1 and 6000 then
    perform app.refuse('INVALID', 'Donne une durée entre 1 et 6000 minutes.', 'duration_minutes');
  end if;

  update public.course_modules set
    title = btrim(p_title), description = btrim(p_description),
    duration_minutes = p_duration_minutes
  where id = module.id
    and (title, description, duration_minutes)
      is distinct from (btrim(p_title), btrim(p_description), p_duration_minutes);
  select * into module from public.course_modules where id = p_course_module_id;
  return module;
end;
$$;
comment on function public.update_course_module is
  'Say a module in other words in this course; null goes back to the palette''s. Refuses with '
  'NOT_FOUND, FORBIDDEN, CONFLICT (archived) or INVALID (title, description, duration_minutes).';
grant execute on function public.update_course_module to authenticated;

create function public.move_course_module(p_course_module_id uuid, p_position integer)
returns setof public.course_modules
language plpgsql
security definer -- people may not write course_modules; this is their door
set search_path = ''
as $$
declare
  module constant public.course_modules := app.take_course_module(p_course_module_id);
begin
  if p_position is null or p_position < 0 then
    perform app.refuse('INVALID', 'Cette place n''existe pas.', 'position');
  end if;

  update public.course_modules as other set position = place.number
  from (
    select id, row_number() over (
      order by
        case when id = module.id then least(p_position, last_position) else position end,
        -- Going up it pushes the one it lands on down, and the reverse.
        case when id = module.id then sign(module.position - p_position) * -1 else 0 end
    ) - 1 as number
    from public.course_modules
    cross join (
      select max(position) as last_position from public.course_modules
      where course_id = module.course_id
    ) as course
    where course_id = module.course_id
  ) as place
  where other.id = place.id and other.position <> place.number;
  return query
    select * from public.course_modules where course_id = module.course_id order by position;
end;
$$;
comment on function public.move_course_module is
  'Move a module to a place counted from 0, or past the end to the last one; returns all modules '
  'of the course in order. Refuses with NOT_FOUND, FORBIDDEN, CONFLICT (archived) or INVALID '
  '(position).';
grant execute on function public.move_course_module to authenticated;

create function public.reorder_course_modules(p_course_id uuid, p_module_ids uuid[])
returns setof public.course_modules
language plpgsql
security definer -- people may not write course_modules; this is their door
set search_path = ''
as $$
declare
  course constant public.courses := app.take_open_course(p_course_id);
  held constant uuid[] := array(
    select id from public.course_modules where course_id = course.id);
begin
  if p_module_ids is null
    or cardinality(p_module_ids) <> (select count(distinct id) from unnest(p_module_ids) as id)
  then
    perform app.refuse('INVALID', 'Donne chaque module une fois, dans l''ordre voulu.',
      'module_ids');
  end if;
  if not (held @> p_module_ids and p_module_ids @> held) then
    perform app.refuse('CONFLICT', 'Cette formation a changé entre-temps.',
      jsonb_build_object('version', course.version)::text, 'Recharge la page.');
  end if;

  update public.course_modules as module set position = place.number - 1
  from unnest(p_module_ids) with ordinality as place (id, number)
  where module.id = place.id and module.position <> place.number - 1;
  return query
    select * from public.course_modules where course_id = course.id order by position;
end;
$$;
comment on function public.reorder_course_modules is
  'Put the modules of a course in the order of p_module_ids, which names them all. Refuses with '
  'NOT_FOUND, FORBIDDEN, INVALID (module_ids), CONFLICT when archived or when one came or went.';
grant execute on function public.reorder_course_modules to authenticated;

create function public.remove_course_module(p_course_module_id uuid) returns void
language plpgsql
security definer -- people may not write course_modules; this is their door
set search_path = ''
as $$
declare
  module constant public.course_modules := app.take_course_module(p_course_module_id);
begin
  delete from public.course_modules where id = module.id;
end;
$$;
comment on function public.remove_course_module is
  'Take a module out of its course. Refuses with NOT_FOUND, FORBIDDEN or CONFLICT (archived).';
grant execute on function public.remove_course_module to authenticated;

-- What becomes of one --------------------------------------------------------------------------

create function public.publish_course(p_course_id uuid) returns public.courses
language plpgsql
security definer -- people may not write courses; this is their door
set search_path = ''
as $$
declare
  course public.courses;
begin
  perform app.require_admin();
  course := app.take_course(p_course_id);
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
  delete from public.courses where id = course.id;
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
