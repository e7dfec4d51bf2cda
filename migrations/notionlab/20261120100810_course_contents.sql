-- Courses: what one says, read alone and in the catalogue.

create function app.course_content(p_course_id uuid) returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'course_id', course.id,
    'course_type', course.course_type,
    'title', course.title,
    'description', course.description,
    'version', course.version,
    'modules', coalesce((
      select jsonb_agg(
        jsonb_build_object(
          'module_uuid', module.id,
          'builder_module_id', module.builder_module_id,
          'title', coalesce(module.title, palette.title),
          'description', coalesce(module.description, palette.description),
          'duration', coalesce(module.duration_minutes, palette.duration_minutes),
          'position', module.position)
        order by module.position)
      from public.course_modules as module
      join public.builder_modules as palette on palette.id = module.builder_module_id
      where module.course_id = course.id
    ), '[]'))
  from public.courses as course
  where course.id = p_course_id;
$$;
comment on function app.course_content is
  'What a course says now: title, description, version and its modules in order, each with '
  'module_uuid, builder_module_id, title, description, duration in minutes, position.';

create function app.content_hash(p_content jsonb) returns text
language sql immutable
set search_path = ''
as $$
  -- Not of the number: words that were changed and changed back are the same words.
  select encode(sha256(convert_to((p_content - 'version')::text, 'UTF8')), 'hex');
$$;
comment on function app.content_hash is
  'SHA-256 of what a course said, whatever its version, in hexadecimal.';

create function app.may_read_course(p_course public.courses) returns boolean
language sql stable
set search_path = ''
as $$
  select p_course.deleted_at is null
    and (
      p_course.author_id = app.current_user_id()
      or p_course.course_type = 'standard' and p_course.status = 'published'
        and app.current_user_id() is not null
      or public.is_admin_or_owner(auth.uid())
      or p_course.id = any (app.assigned_course_ids())
    );
$$;
comment on function app.may_read_course is
  'Whether the caller reads this course: the rule of the policies, for one row.';

create function app.modules_in(p_content jsonb) returns uuid[]
language sql immutable
set search_path = ''
as $$
  select array(
    select distinct (module ->> 'builder_module_id')::uuid
    from jsonb_array_elements(p_content -> 'modules') as module);
$$;
comment on function app.modules_in is 'The modules of the palette that a course held, each once.';

create function public.get_course(p_course_id uuid) returns jsonb
language plpgsql stable
security definer -- a module keeps its words when the palette hides it
set search_path = ''
as $$
declare
  course public.courses;
begin
  select asked.* into course from app.caller cross join public.courses as asked
  -- Its author first, who needs no more asking.
  where asked.id = p_course_id
    and (author_id = caller.id and deleted_at is null or app.may_read_course(asked));
  if not found then
    perform app.require_user();
    perform app.refuse('NOT_FOUND', 'Cette formation n''existe pas.');
  end if;

  return app.course_content(course.id) || jsonb_build_object(
    'status', course.status, 'slug', course.slug, 'author_id', course.author_id,
    'created_at', course.created_at, 'updated_at', course.updated_at);
end;
$$;
comment on function public.get_course is
  'One course as an object: course_id, course_type, status, author_id, title, slug, description, '
  'version, created_at, updated_at, and its modules in order, in the words its followers read '
  '(module_uuid, builder_module_id, title, description, duration in minutes, position). Refuses '
  'with NOT_FOUND.';
grant execute on function public.get_course to authenticated;

create function app.courses_named(p_words text) returns uuid[]
language sql stable
set search_path = ''
as $$
  select array(
    select id from public.courses where app.plain(' ' || title) like app.pattern_of(p_words));
$$;
comment on function app.courses_named is 'The courses that have these words in their title.';

create function public.list_published_courses(
  p_search text default null,
  p_after_title text default null,
  p_after_id uuid default null,
  p_limit integer default 50
) returns table (
  id uuid,
  title text,
  slug text,
  description text,
  version integer,
  modules_total bigint,
  duration bigint
)
language plpgsql stable
security definer -- durations stand in the palette, which may hide the module
set search_path = ''
-- Its plan is good wherever the page begins, and takes as long to make as the answer.
set plan_cache_mode = force_generic_plan
as $$
declare
  is_searched constant boolean := app.pattern_of(p_search) is not null;
  named constant uuid[] := case when is_searched then app.courses_named(p_search) end;
begin
  perform app.require_user();
  if p_limit is null or p_limit not between 1 and 100 then
    perform app.refuse('INVALID', 'Demande entre 1 et 100 formations à la fois.', 'limit');
  end if;

  return query
  with page as (
    select c.id, c.title, c.slug, c.description, c.version
    from public.courses as c
    where c.course_type = 'standard' and c.status = 'published' and c.deleted_at is null
      and (not is_searched or c.id = any (named))
      and (c.title, c.id) > (
        coalesce(p_after_title, ''),
        coalesce(p_after_id, '00000000-0000-0000-0000-000000000000'))
    order by c.title, c.id
    limit p_limit
  )
  select page.*, coalesce(sums.modules, 0), coalesce(sums.minutes, 0)
  from page
  left join (
    select
      module.course_id,
      count(*) as modules,
      sum(coalesce(module.duration_minutes, palette.duration_minutes)) as minutes
    from public.course_modules as module
    join public.builder_modules as palette on palette.id = module.builder_module_id
    where module.course_id = any (array(select page.id from page))
    group by module.course_id
  ) as sums on sums.course_id = page.id
  order by page.title, page.id;
end;
$$;
comment on function public.list_published_courses is
  'The catalogue by title, with the number of modules and the minutes they take; the next page '
  'starts from the last row''s title and id. Refuses with INVALID (limit).';
grant execute on function public.list_published_courses to authenticated;
