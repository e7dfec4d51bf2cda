-- Overviews: what one person follows and composes, and what all clients do, for staff.

create function public.get_user_courses_and_parcours(p_user_id uuid) returns jsonb
language plpgsql stable
security definer -- archived courses that somebody follows are out of his sight, not of his list
set search_path = ''
as $$
declare
  caller_id constant uuid := app.require_user();
begin
  if p_user_id is distinct from caller_id then
    if not public.is_admin_or_owner(caller_id) then
      perform app.refuse('FORBIDDEN', 'Tu ne vois que tes propres formations.');
    end if;
    if not exists (select from public.profiles where id = p_user_id) then
      perform app.refuse('NOT_FOUND', 'Cette personne n''existe pas.');
    end if;
  end if;

  return jsonb_build_object(
    'courses', coalesce((
      select jsonb_agg(
        jsonb_build_object(
          'enrolment_id', mine.id,
          'course_id', mine.course_id,
          'title', kept.content ->> 'title',
          'description', kept.content ->> 'description',
          'course_version', mine.course_version,
          'latest_version', course.version,
          'status', course.status,
          'modules', kept.content -> 'modules',
          'done_modules', mine.done_modules,
          'modules_total', jsonb_array_length(kept.content -> 'modules'),
          'modules_done', cardinality(mine.done_modules),
          'enrolled_at', mine.enrolled_at,
          'completed_at', mine.completed_at,
          'last_activity_at', mine.last_activity_at)
        order by mine.last_activity_at desc, mine.id)
      from public.user_courses as mine
      join public.courses as course on course.id = mine.course_id
      join public.course_versions as kept
        on kept.course_id = mine.course_id and kept.version = mine.course_version
      where mine.user_id = p_user_id
    ), '[]'),
    'parcours', coalesce((
      select jsonb_agg(
        jsonb_build_object(
          'course_id', course.id,
          'title', course.title,
          'slug', course.slug,
          'description', course.description,
          'status', course.status,
          'version', course.version,
          'modules_total', coalesce(modules.total, 0),
          'duration', coalesce(modules.minutes, 0),
          'submission', submission.told,
          'formation', formation.told,
          'created_at', course.created_at,
          'updated_at', course.updated_at)
        order by course.created_at desc, course.id)
      from public.courses as course
      left join (
        select
          module.course_id,
          count(*) as total,
          sum(coalesce(module.duration_minutes, palette.duration_minutes)) as minutes
        from public.course_modules as module
        join public.builder_modules as palette on palette.id = module.builder_module_id
        where module.course_id = any (array(
          select written.id from public.courses as written where written.author_id = p_user_id))
        group by module.course_id
      ) as modules on modules.course_id = course.id
      left join lateral (
        select jsonb_build_object(
          'submission_id', latest.id, 'status', latest.status,
          'submitted_at', latest.submitted_at, 'reviewed_at', latest.reviewed_at,
          'review_comment', latest.review_comment,
          'course_version', snapshot.course_version) as told
        from public.formation_submissions as latest
        join public.user_formation_snapshots as snapshot on snapshot.submission_id = latest.id
        where latest.course_id = course.id
        order by latest.submitted_at desc
        limit 1
      ) as submission on true
      left join lateral (
        select jsonb_build_object(
          'formation_id', followed.id, 'submission_id', followed.submission_id,
          'prof_id', followed.prof_id, 'prof_first_name', prof.first_name,
          'prof_last_name', prof.last_name, 'started_at', followed.started_at,
          'ended_at', followed.ended_at, 'modules_total', cards.total,
          'modules_done', cards.done, 'modules_in_progress', cards.in_progress,
          'modules_blocked', cards.blocked) as told
        from (
          select * from public.user_formations
          where course_id = course.id
          order by started_at desc
          limit 1
        ) as followed
        left join public.profiles as prof on prof.id = followed.prof_id
        cross join lateral (
          select
            count(*) as total,
            count(*) filter (where card.status = 'done') as done,
            count(*) filter (where card.status = 'in_progress') as in_progress,
            count(*) filter (where card.status = 'blocked') as blocked
          from public.formation_module_statuses as card
          where card.submission_id = followed.submission_id
        ) as cards
      ) as formation on true
      where course.author_id = p_user_id and course.course_type = 'custom'
        and course.deleted_at is null
    ), '[]'));
end;
$$;
comment on function public.get_user_courses_and_parcours is
  'What somebody follows and composes, for himself and staff: courses, the standard ones, in his '
  'version (enrolment_id, course_id, title, description, course_version, latest_version, status, '
  'modules, done_modules, modules_total, modules_done, enrolled_at, completed_at, '
  'last_activity_at), and parcours, his own (course_id, title, slug, description, status, '
  'version, modules_total, duration, created_at, updated_at), each with its latest submission '
  '(submission_id, status, submitted_at, reviewed_at, review_comment, course_version) and '
  'formation (formation_id, submission_id, prof_id, prof_first_name, prof_last_name, started_at, '
  'ended_at, modules_total, modules_done, modules_in_progress, modules_blocked), or null. Refuses '
  'with FORBIDDEN or NOT_FOUND.';
grant execute on function public.get_user_courses_and_parcours to authenticated;

create view app.submitted_work with (security_invoker = true) as
select
  case when formation.id is null then 'submission' else 'formation' end as kind,
  submission.id,
  submission.id as submission_id,
  formation.id as formation_id,
  submission.course_id,
  submission.user_id,
  case
    when submission.status <> 'approved' or formation.id is null then submission.status
    when formation.ended_at is null then 'under_way'
    else 'ended'
  end as status,
  formation.prof_id,
  submission.submitted_at,
  submission.reviewed_at,
  submission.reviewed_by,
  submission.review_comment,
  submission.last_activity_at,
  null::integer as course_version,
  null::uuid[] as done_modules,
  submission.status as answer
from public.formation_submissions as submission
left join public.user_formations as formation on formation.submission_id = submission.id
where not exists (
  select from public.courses as gone
  where gone.id = submission.course_id and gone.deleted_at is not null
);
comment on view app.submitted_work is
  'Submissions, and the formations that some became, as staff are told of them.';

create view app.enrolled_work with (security_invoker = true) as
select
  'enrolment' as kind,
  id,
  null::uuid as submission_id,
  null::uuid as formation_id,
  course_id,
  user_id,
  case when completed_at is null then 'under_way' else 'completed' end as status,
  null::uuid as prof_id,
  enrolled_at as submitted_at,
  null::timestamptz as reviewed_at,
  null::uuid as reviewed_by,
  null::text as review_comment,
  last_activity_at,
  course_version,
  done_modules,
  null::text as answer
from public.user_courses;
comment on view app.enrolled_work is
  'Enrolments in standard courses, as staff are told of them beside submissions.';

create function app.work_sought(
  p_search text,
  p_user_id uuid,
  p_prof_id uuid,
  out submission_ids uuid[],
  out enrolment_ids uuid[]
)
language plpgsql stable
set search_path = ''
as $$
declare
  people uuid[];
  named uuid[];
begin
  -- Words are looked for once, rather than in every submission there is.
  if app.pattern_of(p_search) is not null then
    people := app.people_named(p_search);
    named := app.courses_named(p_search);
    submission_ids := array(
      select id from public.formation_submissions
      where user_id = any (people) or course_id = any (named));
    enrolment_ids := array(
      select id from public.user_courses where user_id = any (people) or course_id = any (named));
  end if;
  if p_user_id is not null then
    submission_ids := array(
      select id from public.formation_submissions
      where user_id = p_user_id and (submission_ids is null or id = any (submission_ids)));
    enrolment_ids := array(
      select id from public.user_courses
      where user_id = p_user_id and (enrolment_ids is null or id = any (enrolment_ids)));
  end if;
  if p_prof_id is not null then
    submission_ids := array(
      select submission_id from public.user_formations
      where prof_id = p_prof_id
        and (submission_ids is null or submission_id = any (submission_ids)));
    enrolment_ids := '{}';
  end if;
end;
$$;
comment on function app.work_sought is
  'The submissions and the enrolments among which somebody looks; null for all there are.';

create function public.get_admin_formations_and_submissions(
  p_search text default null,
  p_kind text default null,
  p_status text default null,
  p_user_id uuid default null,
  p_prof_id uuid default null,
  p_before timestamptz default null,
  p_before_id uuid default null,
  p_limit integer default 50
) returns table (
  "displayId" text,
  kind text,
  id uuid,
  submission_id uuid,
  formation_id uuid,
  course_id uuid,
  course_type text,
  title text,
  status text,
  course_version integer,
  latest_version integer,
  user_id uuid,
  first_name text,
  last_name text,
  email text,
  prof_id uuid,
  modules_total integer,
  modules_done integer,
  submitted_at timestamptz,
  reviewed_at timestamptz,
  reviewed_by uuid,
  review_comment text,
  last_activity_at timestamptz
)
language plpgsql stable
security definer -- one question for staff, instead of the policies of seven tables for each row
set search_path = ''
-- Its plan is good whatever is asked, and takes as long to make as the answer.
set plan_cache_mode = force_generic_plan
as $$
declare
  last_at constant timestamptz := coalesce(p_before, 'infinity');
  last_id constant uuid := coalesce(p_before_id, '00000000-0000-0000-0000-000000000000');
  -- What is asked, of all that a submission can be said to be.
  states constant text[] := array(
    select state
    from unnest(
      '{pending,rejected,withdrawn,approved,under_way,ended}'::text[],
      '{submission,submission,submission,submission,formation,formation}'::text[]
    ) as said (state, said_of)
    where said_of = coalesce(p_kind, said_of)
      and (p_status is null or p_status = state or p_status = 'approved' and said_of = 'formation')
  );
  wanted_answer constant text := case
    when states <@ '{approved,under_way,ended}' then 'approved'
    when cardinality(states) = 1 then states[1]
  end;
  submission_ids uuid[];
  enrolment_ids uuid[];
begin
  perform app.require_admin();
  if p_kind is not null and p_kind not in ('submission', 'formation', 'enrolment') then
    perform app.refuse('INVALID', 'Ce genre d''élément n''existe pas.', 'kind');
  end if;
  if p_status is not null and p_status not in (
    'pending', 'approved', 'rejected', 'withdrawn', 'under_way', 'ended', 'completed'
  ) then
    perform app.refuse('INVALID', 'Ce statut n''existe pas.', 'status');
  end if;
  if p_limit is null or p_limit not between 1 and 100 then
    perform app.refuse('INVALID', 'Demande entre 1 et 100 éléments à la fois.', 'limit');
  end if;

  select * into submission_ids, enrolment_ids
  from app.work_sought(p_search, p_user_id, p_prof_id);
  if states = '{}' then
    submission_ids := '{}';
  end if;
  if p_kind <> 'enrolment' or p_status not in ('under_way', 'completed') then
    enrolment_ids := '{}';
  end if;
  -- One plan serves whatever is asked: each branch of the page has an index of its own and a limit
  -- that the planner can read, and of the branches for submissions one is open at a time.
  -- The planner expects a condition inside a coalesce to keep half of the rows, and follows the
  -- index until the page is full; if it expected fewer, it would sort them all.
  return query
  with submissions_sought as materialized (
    select * from app.submitted_work as work where work.id = any (submission_ids)
  ),
  enrolments_sought as materialized (
    select * from app.enrolled_work as work where work.id = any (enrolment_ids)
  ),
  page as (
    (
      select * from submissions_sought as work
      where coalesce(work.status = any (states), false)
        and (work.last_activity_at, work.id) < (last_at, last_id)
      order by work.last_activity_at desc, work.id desc limit 100
    )
    union all (
      select * from app.submitted_work as work
      where submission_ids is null and wanted_answer is not null and work.answer = wanted_answer
        -- Repeated to lower the planner's guess: by the equality alone it expects a quarter of
        -- all rows, and would read through everybody's to find the few there may be.
        and work.answer between wanted_answer and wanted_answer
        and coalesce(work.status = any (states), false)
        and (work.last_activity_at, work.id) < (last_at, last_id)
      order by work.last_activity_at desc, work.id desc limit 100
    )
    union all (
      select * from app.submitted_work as work
      where submission_ids is null and wanted_answer is null
        and coalesce(work.status = any (states), false)
        and (work.last_activity_at, work.id) < (last_at, last_id)
      order by work.last_activity_at desc, work.id desc limit 100
    )
    union all (
      select * from enrolments_sought as work
      where coalesce(work.status = p_status, true)
        and (work.last_activity_at, work.id) < (last_at, last_id)
      order by work.last_activity_at desc, work.id desc limit 100
    )
    union all (
      select * from app.enrolled_work as work
      where enrolment_ids is null and coalesce(work.status = p_status, true)
        and (work.last_activity_at, work.id) < (last_at, last_id)
      order by work.last_activity_at desc, work.id desc limit 100
    )
    order by last_activity_at desc, id desc limit p_limit
  )
  select
    page.kind || ':' || page.id, page.kind, page.id, page.submission_id, page.formation_id,
    page.course_id, course.course_type, course.title, page.status,
    coalesce(snapshot.course_version, page.course_version), course.version,
    page.user_id, person.first_name, person.last_name, person.email, page.prof_id,
    coalesce(
      cards.total, jsonb_array_length(snapshot.content -> 'modules'),
      jsonb_array_length(kept.content -> 'modules'))::integer,
    coalesce(cards.done, cardinality(page.done_modules), 0)::integer,
    page.submitted_at, page.reviewed_at, page.reviewed_by, page.review_comment,
    page.last_activity_at
  from page
  -- Looked up row by row (limit), so that no page reads all courses, people or versions.
  cross join lateral (
    select said.* from public.courses as said where said.id = page.course_id limit 1
  ) as course
  cross join lateral (
    select one.* from public.profiles as one where one.id = page.user_id limit 1
  ) as person
  left join public.user_formation_snapshots as snapshot
    on snapshot.submission_id = page.submission_id
  left join lateral (
    select version.content from public.course_versions as version
    where version.course_id = page.course_id and version.version = page.course_version
    limit 1
  ) as kept on true
  left join lateral (
    select count(*) as total, count(*) filter (where card.status = 'done') as done
    from public.formation_module_statuses as card
    where card.submission_id = page.submission_id
    having count(*) > 0
  ) as cards on true
  order by page.last_activity_at desc, page.id desc;
end;
$$;
comment on function public.get_admin_formations_and_submissions is
  'What clients submit and follow, newest activity first, for staff: submissions, formations '
  '(approved submissions) and enrolments in standard courses, each with a displayId of its own. '
  'p_kind is submission, formation or enrolment; p_status is pending, approved, rejected, '
  'withdrawn, under_way, ended or completed; p_search looks in titles, names and addresses (one '
  'or two letters: where a word begins). The next page starts from the last row: p_before is its '
  'last_activity_at, p_before_id its id. Refuses with FORBIDDEN or INVALID (kind, status, limit).';
grant execute on function public.get_admin_formations_and_submissions to authenticated;
