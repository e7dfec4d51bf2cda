-- Rows for bench.formations, in the proportions of a place that has lived for years:
-- 1,000,000 cards on 20,000 people, 5,000 courses and 50,000 submissions. The palette and the form
-- don't grow. Neither triggers nor foreign keys look: everything fits by construction, and ids are
-- made from numbers, so that nothing needs to be looked up.
set session_replication_role = replica;

create schema bench;
create function bench.id(p_kind text, p_number bigint, p_within bigint default 0) returns uuid
language sql immutable parallel safe
as $$ select md5(p_kind || ' ' || p_number || ' ' || p_within)::uuid; $$;
create table bench.volume as
select
  rows / 50 as people, rows / 2500 + 2 as staff, rows / 200 as courses, rows / 1000 as standards,
  rows / 200 - rows / 1000 as customs, rows / 20 as submissions,
  rows * 3 / 100 as enrolments, rows * 3 / 200 as responses,
  rows / 50 - rows / 2500 - 2 as clients
from (select current_setting('bench.rows')::bigint) as asked (rows);

-- People: 1 owner, admins, profs, and clients.
insert into auth.users (id, email)
select bench.id('person', n), 'p' || n || '@example.test'
from bench.volume, generate_series(1, people) as n;
insert into public.profiles (id, email, first_name, last_name, user_type_id, created_at)
select
  bench.id('person', n), 'p' || n || '@example.test',
  (array['Léa', 'Hugo', 'Inès', 'Noé', 'Zoé', 'Théo'])[1 + n % 6], 'Personne' || n,
  case when n = 1 then 'owner' when n <= staff / 2 then 'admin' when n <= staff then 'prof'
    else 'client' end,
  now() - (people - n) * interval '900 days' / people
from bench.volume, generate_series(1, people) as n;

-- A palette of 8 families, 40 subfamilies and 200 modules, each module with two links.
insert into public.builder_families (id, name, position)
select bench.id('family', n), 'Famille ' || n, n from generate_series(1, 8) as n;
insert into public.builder_subfamilies (id, family_id, name, position)
select bench.id('subfamily', n), bench.id('family', 1 + n % 8), 'Thème ' || n, n
from generate_series(1, 40) as n;
insert into public.builder_modules
  (id, subfamily_id, title, description, duration_minutes, position)
select
  bench.id('palette', n), bench.id('subfamily', 1 + n % 40), 'Module ' || n,
  'Ce module explique, exercices à l''appui, le sujet ' || n || ' : ' || repeat('pas à pas, ', 8),
  30 + n % 90, n
from generate_series(1, 200) as n;
insert into public.resources (builder_module_id, kind, title, url, position)
select bench.id('palette', n), 'link', 'Lien ' || k, 'https://example.test/' || n || '/' || k, k
from generate_series(1, 200) as n, generate_series(0, 1) as k;

-- A fifth of the courses are standard; a client who composes has two.
insert into public.courses
  (id, course_type, status, author_id, title, slug, description, created_at)
select
  bench.id('course', n),
  case when n <= standards then 'standard' else 'custom' end, 'published',
  bench.id('person', case when n <= standards then 1 else staff + 1 + n % (customs / 2) end),
  'Formation ' || n, 'formation-' || n, 'Ce que l''on apprend dans la formation ' || n || '.',
  now() - (courses - n) * interval '900 days' / courses
from bench.volume, generate_series(1, courses) as n;
insert into public.course_modules (id, course_id, builder_module_id, position)
select
  bench.id('module', n, k), bench.id('course', n),
  bench.id('palette', 1 + (n * 7 + k * 13) % 200), k
from bench.volume, generate_series(1, courses) as n, generate_series(0, 19 + n % 3) as k;
analyze public.courses, public.course_modules, public.builder_modules;
create table bench.said as
select n, bench.id('course', n) as course_id, app.course_content(bench.id('course', n)) as content
from bench.volume, generate_series(1, courses) as n;
alter table bench.said add column hash text;
update bench.said set hash = app.content_hash(content);

insert into public.course_versions (course_id, version, content, content_hash)
select course_id, 1, content, hash from bench.said, bench.volume where n <= standards;
insert into public.user_courses
  (user_id, course_id, course_version, enrolled_at, last_activity_at, done_modules)
select
  bench.id('person', staff + 1 + n % clients), bench.id('course', 1 + n % standards), 1, at, at,
  array(select bench.id('module', 1 + n % standards, k) from generate_series(0, n % 10) as k)
from bench.volume, generate_series(1, enrolments) as n,
  lateral (select now() - (enrolments - n) * interval '900 days' / enrolments) as t (at);

-- A few standard courses are over, and a few have a version that nobody follows yet.
update public.courses set status = 'archived'
from bench.volume, generate_series(1, standards, 10) as n where id = bench.id('course', n);
update public.courses set version = 2
from bench.volume, generate_series(2, standards, 4) as n where id = bench.id('course', n);

-- Each custom course was submitted again and again. Of the last time a fifth is pending; each
-- earlier formation is over and yet keeps its board, as no course of ours does: that is how
-- so many cards come on so few courses.
create table bench.submitted as
select
  n, bench.id('submission', n) as id, course, bench.id('course', course) as course_id,
  bench.id('person', staff + 1 + course % (customs / 2)) as user_id,
  bench.id('person', staff / 2 + 1 + n % (staff - staff / 2)) as prof_id,
  n + customs > submissions as is_last,
  case when n + customs <= submissions then 'approved'
    else (array['pending', 'pending', 'rejected', 'withdrawn', 'approved', 'approved',
      'approved', 'approved', 'approved', 'approved'])[1 + course % 10]
  end as status,
  now() - interval '1 day' - (submissions - n) * interval '900 days' / submissions as at
from bench.volume, generate_series(1, submissions) as n,
  lateral (select standards + 1 + (n - 1) % customs) as t (course);
insert into public.formation_submissions
  (id, course_id, user_id, status, submitted_at, reviewed_by, reviewed_at, last_activity_at)
select
  id, course_id, user_id, status, at,
  case when status in ('approved', 'rejected') then bench.id('person', 1) end,
  case when status in ('approved', 'rejected') then at + interval '2 hours' end,
  at + interval '3 hours'
from bench.submitted;
insert into public.user_formation_snapshots
  (submission_id, user_id, course_id, course_version, content, content_hash)
select id, user_id, submitted.course_id, 1, content, hash
from bench.submitted as submitted join bench.said on said.n = submitted.course;
insert into public.user_formations
  (id, submission_id, user_id, course_id, prof_id, started_at, ended_at)
select
  bench.id('formation', n), id, user_id, course_id, prof_id, at + interval '2 hours',
  case when lead(n) over (partition by course order by n) is not null then now() end
from bench.submitted where status = 'approved';
update public.courses set status = case submitted.status when 'pending' then 'submitted'
  else 'published' end
from bench.submitted where is_last and submitted.course_id = courses.id
  and submitted.status <> 'approved';

insert into public.formation_module_statuses
  (id, user_id, submission_id, module_uuid, status, position)
select
  bench.id('card', n, k), user_id, id, bench.id('module', course, k),
  case when k < 8 then 'done' when k < 10 then 'in_progress' when k < 11 then 'blocked'
    else 'todo' end,
  case when k < 8 then k when k < 10 then k - 8 when k < 11 then k - 10 else k - 11 end
from bench.submitted, generate_series(0, 19 + course % 3) as k
where status = 'approved';

-- The form, filled in by the first clients.
create table bench.answers as
select jsonb_object_agg(slug, case question_type
    when 'single_choice' then options -> 0
    when 'multiple_choice' then options
    when 'scale' then to_jsonb(scale_min)
    when 'yes_no' then 'true'
    when 'date' then '"2026-12-01"'
    else '"Une réponse de quelques mots, comme on en écrit."'
  end) as answers
from public.training_onboarding_questions as question
cross join lateral (
  select jsonb_agg(value order by position) as options
  from public.training_onboarding_question_options where question_id = question.id
) as proposed;
insert into public.training_onboarding_responses
  (id, user_id, draft_answers, submitted_answers, status, first_submitted_at, last_submitted_at)
select
  bench.id('response', n), bench.id('person', staff + n), answers, answers, 'submitted', now(),
  now()
from bench.volume, bench.answers, generate_series(1, responses) as n;
insert into public.training_onboarding_nps (response_id, user_id, answer, comment)
select bench.id('response', n), bench.id('person', staff + n), n % 5 > 0, 'Très clair.'
from bench.volume, generate_series(1, responses) as n;

-- What any call costs: one that does nothing.
create function public.bench_nothing() returns integer language sql stable as 'select 1';
grant execute on function public.bench_nothing to authenticated;
