-- Course building: modules of the palette are put in, moved and taken out by drag and drop.

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

  if (module.title, module.description, module.duration_minutes)
    is distinct from (btrim(p_title), btrim(p_description), p_duration_minutes)
  then
    update public.course_modules set
      title = btrim(p_title), description = btrim(p_description),
      duration_minutes = p_duration_minutes
    where id = module.id
    returning * into module;
  end if;
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
