-- Submissions: a client submits his course, which is frozen as it reads that day; staff approve or
-- reject what was frozen, never something else. A course is always held before its submissions.

create table public.formation_submissions (
  id uuid primary key default gen_random_uuid(),
  course_id uuid not null references public.courses (id) on delete cascade,
  user_id uuid not null references public.profiles (id) on delete cascade,
  status text not null default 'pending',
  submitted_at timestamptz not null default now(),
  reviewed_by uuid references public.profiles (id) on delete set null,
  reviewed_at timestamptz,
  review_comment text,
  last_activity_at timestamptz not null default clock_timestamp(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint formation_submissions_status_known check (
    status in ('pending', 'approved', 'rejected', 'withdrawn')
  ),
  constraint formation_submissions_reviewed_at_with_review check (
    (reviewed_at is not null) = (status in ('approved', 'rejected'))
  ),
  constraint formation_submissions_comment_length check (char_length(review_comment) <= 2000)
);
comment on table public.formation_submissions is
  'A course a client asks to follow, and what staff answered.';
comment on column public.formation_submissions.review_comment is
  'Why it was rejected, for its author.';
comment on column public.formation_submissions.reviewed_by is
  'Who answered; null for a server, or when that person is gone.';
comment on column public.formation_submissions.last_activity_at is
  'The last thing that happened to it, a move on its Kanban included.';

create table public.user_formation_snapshots (
  id uuid primary key default gen_random_uuid(),
  submission_id uuid not null references public.formation_submissions (id) on delete cascade,
  user_id uuid not null references public.profiles (id) on delete cascade,
  course_id uuid not null references public.courses (id) on delete cascade,
  course_version integer not null,
  content jsonb not null,
  content_hash text not null,
  builder_module_ids uuid[] not null generated always as (app.modules_in(content)) stored,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint user_formation_snapshots_one_per_submission unique (submission_id),
  constraint user_formation_snapshots_content_object check (jsonb_typeof(content) = 'object'),
  constraint user_formation_snapshots_hash_form check (content_hash ~ '^[0-9a-f]{64}$')
);
comment on table public.user_formation_snapshots is
  'A course as it read when it was submitted: what is approved, and what the Kanban shows.';
comment on column public.user_formation_snapshots.content is
  'Title, description, version and modules in order, each with module_uuid, builder_module_id, '
  'title, description, duration in minutes and position.';
comment on column public.user_formation_snapshots.builder_module_ids is
  'The modules of the palette in it: its client and his prof see their resources.';
comment on column public.user_formation_snapshots.course_version is
  'Behind courses.version, it may be stale: refresh_submission_snapshot freezes it again.';
comment on column public.user_formation_snapshots.content_hash is 'SHA-256 of content.';

create table public.user_formations (
  id uuid primary key default gen_random_uuid(),
  submission_id uuid not null references public.formation_submissions (id) on delete cascade,
  user_id uuid not null references public.profiles (id) on delete cascade,
  course_id uuid not null references public.courses (id) on delete cascade,
  prof_id uuid references public.profiles (id) on delete set null,
  started_at timestamptz not null default now(),
  ended_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint user_formations_one_per_submission unique (submission_id),
  constraint user_formations_ended_after_start check (ended_at >= started_at)
);
comment on table public.user_formations is
  'The formation a client follows once his course was approved; under way while ended_at is null.';
comment on column public.user_formations.ended_at is
  'When its course was archived, deleted or approved anew.';
comment on column public.user_formations.prof_id is 'The prof who accompanies it, if any.';

-- This index, not the function below, is what stops a course being submitted twice.
create unique index formation_submissions_one_pending_per_course
  on public.formation_submissions (course_id) where status = 'pending';
-- And this one, a client following the same course on two boards.
create unique index user_formations_one_under_way_per_course
  on public.user_formations (course_id) where ended_at is null;
create index formation_submissions_course_id_idx
  on public.formation_submissions (course_id, submitted_at desc);
create index formation_submissions_user_id_idx
  on public.formation_submissions (user_id, last_activity_at desc, id desc);
create index formation_submissions_activity_idx
  on public.formation_submissions (last_activity_at desc, id desc);
create index formation_submissions_status_idx
  on public.formation_submissions (status, last_activity_at desc, id desc);
create index formation_submissions_reviewed_by_idx on public.formation_submissions (reviewed_by);
create index user_formation_snapshots_user_id_idx on public.user_formation_snapshots (user_id);
create index user_formation_snapshots_course_id_idx on public.user_formation_snapshots (course_id);
create index user_formations_user_id_idx on public.user_formations (user_id, started_at desc);
create index user_formations_course_id_idx on public.user_formations (course_id);
-- A page of a prof; and what he accompanies, which policies ask, without a look at the rows.
create index user_formations_prof_id_idx on public.user_formations (prof_id, started_at desc, id)
  include (submission_id, course_id);
-- Of what somebody has ever followed or accompanied, the little that he does now.
create index user_formations_followed_idx on public.user_formations (user_id)
  include (submission_id) where ended_at is null;
create index user_formations_accompanied_idx on public.user_formations (prof_id)
  include (submission_id) where ended_at is null;

create trigger formation_submissions_set_updated_at before update on public.formation_submissions
  for each row execute function app.set_updated_at();
create trigger user_formation_snapshots_set_updated_at
  before update on public.user_formation_snapshots
  for each row execute function app.set_updated_at();
create trigger user_formations_set_updated_at before update on public.user_formations
  for each row execute function app.set_updated_at();

create trigger formation_submissions_audit
  after insert or update or delete on public.formation_submissions
  for each row execute function app.audit('last_activity_at', 'review_comment');
create trigger user_formations_audit after insert or update or delete on public.user_formations
  for each row execute function app.audit();

-- Who may see and write ------------------------------------------------------------------------

create function app.assigned_submission_ids() returns uuid[]
language sql stable
security definer -- it stands under the policies of the table it reads
set search_path = ''
as $$
  select array(
    select submission_id from public.user_formations where prof_id = app.current_user_id());
$$;
comment on function app.assigned_submission_ids is
  'The submissions whose formations the caller accompanies, as prof.';
grant execute on function app.assigned_submission_ids to authenticated, service_role;

alter table public.formation_submissions enable row level security;
create policy formation_submissions_select_own_assigned_or_staff on public.formation_submissions
  for select to authenticated
  using (
    user_id = (select app.current_user_id())
    or id = any ((select app.assigned_submission_ids())::uuid[])
    or (select public.is_admin_or_owner((select auth.uid())))
  );
-- People write through the functions below, which hold the course while they freeze it.
grant select on public.formation_submissions to authenticated;
grant select, insert, update, delete on public.formation_submissions to service_role;

alter table public.user_formation_snapshots enable row level security;
create policy user_formation_snapshots_select_own_assigned_or_staff
  on public.user_formation_snapshots for select to authenticated
  using (
    user_id = (select app.current_user_id())
    or submission_id = any ((select app.assigned_submission_ids())::uuid[])
    -- A range rather than a yes or no, which would make a client read everybody's for his.
    or user_id between (
        select case when public.is_admin_or_owner((select auth.uid()))
          then '00000000-0000-0000-0000-000000000000'::uuid end
      ) and 'ffffffff-ffff-ffff-ffff-ffffffffffff'
  );
-- Frozen: nobody writes one by hand, a server no more than the others.
grant select on public.user_formation_snapshots to authenticated, service_role;

alter table public.user_formations enable row level security;
create policy user_formations_select_own_assigned_or_staff on public.user_formations
  for select to authenticated
  using (
    user_id = (select app.current_user_id())
    or prof_id = (select app.current_user_id())
    or (select public.is_admin_or_owner((select auth.uid())))
  );
-- A formation begins in approve_user_parcours_submission and ends with its course.
grant select on public.user_formations to authenticated;
grant select, insert, update, delete on public.user_formations to service_role;

-- What may be asked ----------------------------------------------------------------------------

create function app.freeze_course(p_submission_id uuid) returns void
language sql
set search_path = ''
as $$
  insert into public.user_formation_snapshots
    (submission_id, user_id, course_id, course_version, content, content_hash)
  select
    submission.id, submission.user_id, submission.course_id, (said.content ->> 'version')::integer,
    said.content, app.content_hash(said.content)
  from public.formation_submissions as submission
  cross join lateral app.course_content(submission.course_id) as said (content)
  where submission.id = p_submission_id
  on conflict (submission_id) do update set
    course_version = excluded.course_version,
    content = excluded.content,
    content_hash = excluded.content_hash;
$$;
comment on function app.freeze_course is
  'Keep with a submission what its course says now; whoever calls holds the course.';

create function app.refuse_empty_course(p_course_id uuid) returns void
language plpgsql stable
set search_path = ''
as $$
begin
  if not exists (select from public.course_modules where course_id = p_course_id) then
    perform app.refuse('INVALID', 'Ajoute au moins un module à ton parcours.', 'modules');
  end if;
end;
$$;
comment on function app.refuse_empty_course is
  'Refuse with INVALID (modules) a course that has none.';

create function public.submit_user_parcours_for_validation(p_course_id uuid)
returns public.formation_submissions
language plpgsql
security definer -- people may not write formation_submissions; this is their door
set search_path = ''
as $$
declare
  caller_id constant uuid := app.require_user();
  course public.courses;
  submission public.formation_submissions;
begin
  -- The person before his course, in the order in which an account goes.
  perform from public.profiles where id = caller_id for key share;
  course := app.take_open_course(p_course_id);
  if course.author_id is distinct from caller_id then
    perform app.refuse('FORBIDDEN', 'Seul l''auteur d''un parcours le soumet.');
  end if;
  if course.course_type <> 'custom' then
    perform app.refuse('CONFLICT', 'Une formation standard se publie, elle ne se soumet pas.');
  end if;
  select * into submission from public.formation_submissions
  where course_id = course.id and status = 'pending';
  if found then
    return submission;
  end if;
  perform app.refuse_empty_course(course.id);

  update public.courses set status = 'submitted' where id = course.id;
  insert into public.formation_submissions (course_id, user_id) values (course.id, caller_id)
  returning * into submission;
  perform app.freeze_course(submission.id);
  return submission;
end;
$$;
comment on function public.submit_user_parcours_for_validation is
  'Submit the caller''s course, frozen as it reads now; while it is pending, calling again '
  'returns the same submission. Refuses with NOT_FOUND, FORBIDDEN, CONFLICT (archived, or '
  'standard) or INVALID (modules).';
grant execute on function public.submit_user_parcours_for_validation to authenticated;

create function app.take_submission(p_submission_id uuid) returns public.formation_submissions
language plpgsql
set search_path = ''
as $$
declare
  caller_id constant uuid := app.require_user();
  submission public.formation_submissions;
begin
  -- The person before his course, in the order in which an account goes.
  perform from public.profiles
  where id = (select user_id from public.formation_submissions where id = p_submission_id)
  for key share;
  perform from public.courses
  where id = (select course_id from public.formation_submissions where id = p_submission_id)
  for no key update;
  select * into submission from public.formation_submissions
  where id = p_submission_id
    and (
      user_id = caller_id
      or public.is_admin_or_owner(caller_id)
      or id = any (app.assigned_submission_ids())
    )
  for update;
  if not found then
    perform app.refuse('NOT_FOUND', 'Cette soumission n''existe pas.');
  end if;
  return submission;
end;
$$;
comment on function app.take_submission is
  'Lock a submission the caller may see, its course, and keep its author. Refuses with NOT_FOUND.';

create function app.refuse_reviewed(p_submission public.formation_submissions) returns void
language plpgsql stable
set search_path = ''
as $$
begin
  perform app.refuse(
    'CONFLICT',
    case p_submission.status
      when 'approved' then 'Cette soumission a déjà été approuvée.'
      when 'rejected' then 'Cette soumission a déjà été refusée.'
      else 'Cette soumission a été retirée.'
    end,
    jsonb_build_object(
      'status', p_submission.status, 'reviewed_by', p_submission.reviewed_by,
      'reviewed_at', p_submission.reviewed_at)::text,
    'Recharge la page.');
end;
$$;
comment on function app.refuse_reviewed is
  'Refuse with CONFLICT, and say what became of the submission.';

create function public.approve_user_parcours_submission(
  p_submission_id uuid,
  p_force boolean default false
) returns public.user_formations
language plpgsql
security definer -- people may not write user_formations; this is the door of staff
set search_path = ''
as $$
declare
  caller_id constant uuid := app.require_admin();
  submission constant public.formation_submissions := app.take_submission(p_submission_id);
  formation public.user_formations;
begin
  select * into formation from public.user_formations where submission_id = submission.id;
  if submission.status = 'approved' and submission.reviewed_by = caller_id then
    return formation;
  end if;
  if submission.status <> 'pending' then
    perform app.refuse_reviewed(submission);
  end if;
  if p_force is not true then
    perform app.refuse_stale_snapshot(submission);
  end if;

  update public.formation_submissions set
    status = 'approved', reviewed_by = caller_id, reviewed_at = clock_timestamp(),
    last_activity_at = clock_timestamp()
  where id = submission.id;
  update public.courses set status = 'published' where id = submission.course_id;
  return app.start_formation(submission);
end;
$$;
comment on function public.approve_user_parcours_submission is
  'Approve what was frozen: the client follows it on a Kanban from now on. Calling again returns '
  'the same formation. Refuses with FORBIDDEN, NOT_FOUND, CONFLICT when it was answered or '
  'withdrawn (details: status, reviewed_by, reviewed_at), or, unless forced, when the course '
  'changed since (details: snapshot_version, course_version).';
grant execute on function public.approve_user_parcours_submission to authenticated;

create function app.refuse_stale_snapshot(p_submission public.formation_submissions) returns void
language plpgsql stable
set search_path = ''
as $$
declare
  frozen public.user_formation_snapshots;
  now_version integer;
begin
  select * into frozen from public.user_formation_snapshots
  where submission_id = p_submission.id;
  select version into now_version from public.courses where id = p_submission.course_id;
  if app.content_hash(app.course_content(p_submission.course_id)) <> frozen.content_hash then
    perform app.refuse('CONFLICT', 'Ce parcours a changé depuis sa soumission.',
      jsonb_build_object(
        'snapshot_version', frozen.course_version, 'course_version', now_version)::text,
      'Actualise la soumission, ou approuve la version soumise.');
  end if;
end;
$$;
comment on function app.refuse_stale_snapshot is
  'Refuse with CONFLICT what was frozen when the course says something else now.';

create function app.start_formation(p_submission public.formation_submissions)
returns public.user_formations
language plpgsql
set search_path = ''
as $$
declare
  before public.user_formations;
  formation public.user_formations;
begin
  -- A course that is approved again goes on: its former board hands over to the new one.
  update public.user_formations set ended_at = clock_timestamp()
  where course_id = p_submission.course_id and ended_at is null
  returning * into before;
  -- Held, so that nobody moves a card that is being handed over.
  perform from public.formation_submissions where id = before.submission_id for update;
  insert into public.user_formations (submission_id, user_id, course_id, prof_id, started_at)
  values (
    p_submission.id, p_submission.user_id, p_submission.course_id, before.prof_id,
    clock_timestamp())
  returning * into formation;
  perform app.fill_board(p_submission.id, before.submission_id);
  return formation;
end;
$$;
comment on function app.start_formation is
  'Begin the formation of an approved submission, with its Kanban.';

create function public.reject_user_parcours_submission(p_submission_id uuid, p_comment text)
returns public.formation_submissions
language plpgsql
security definer -- people may not write formation_submissions; this is the door of staff
set search_path = ''
as $$
declare
  caller_id constant uuid := app.require_admin();
  submission public.formation_submissions := app.take_submission(p_submission_id);
begin
  if coalesce(char_length(btrim(p_comment)), 0) not between 1 and 2000 then
    perform app.refuse('INVALID', 'Explique ton refus, en 2000 caractères au plus.', 'comment');
  end if;
  if submission.status = 'rejected' and submission.reviewed_by = caller_id then
    return submission;
  end if;
  if submission.status <> 'pending' then
    perform app.refuse_reviewed(submission);
  end if;

  update public.formation_submissions set
    status = 'rejected', reviewed_by = caller_id, reviewed_at = clock_timestamp(),
    review_comment = btrim(p_comment), last_activity_at = clock_timestamp()
  where id = submission.id
  returning * into submission;
  perform app.reopen_course(submission.course_id);
  return submission;
end;
$$;
comment on function public.reject_user_parcours_submission is
  'Send a course back to its author with a reason; calling again returns the same submission. '
  'Refuses with FORBIDDEN, NOT_FOUND, INVALID (comment) or CONFLICT (answered or withdrawn; '
  'details: status, reviewed_by, reviewed_at).';
grant execute on function public.reject_user_parcours_submission to authenticated;

create function public.withdraw_user_parcours_submission(p_submission_id uuid)
returns public.formation_submissions
language plpgsql
security definer -- people may not write formation_submissions; this is their door
set search_path = ''
as $$
declare
  submission public.formation_submissions := app.take_submission(p_submission_id);
begin
  if submission.user_id <> auth.uid() then
    perform app.refuse('FORBIDDEN', 'Seul l''auteur retire sa soumission.');
  end if;
  if submission.status = 'withdrawn' then
    return submission;
  end if;
  if submission.status <> 'pending' then
    perform app.refuse_reviewed(submission);
  end if;

  update public.formation_submissions
  set status = 'withdrawn', last_activity_at = clock_timestamp()
  where id = submission.id
  returning * into submission;
  perform app.reopen_course(submission.course_id);
  return submission;
end;
$$;
comment on function public.withdraw_user_parcours_submission is
  'Take back a submission that waits; calling again returns it. Refuses with NOT_FOUND, FORBIDDEN '
  '(somebody else''s) or CONFLICT (answered).';
grant execute on function public.withdraw_user_parcours_submission to authenticated;

create function app.reopen_course(p_course_id uuid) returns void
language sql
set search_path = ''
as $$
  -- One that is followed already goes on as it was.
  update public.courses set status = case
    when exists (
      select from public.formation_submissions
      where course_id = p_course_id and status = 'pending'
    ) then 'submitted'
    when exists (
      select from public.user_formations where course_id = p_course_id and ended_at is null
    ) then 'published'
    else 'draft'
  end
  where id = p_course_id and course_type = 'custom' and status in ('submitted', 'published');
$$;
comment on function app.reopen_course is
  'Give a course back to its author once nobody examines it any more.';

create function app.reopen_course_of_deleted() returns trigger
language plpgsql
security definer -- people may not write courses
set search_path = ''
as $$
begin
  perform app.reopen_course(old.course_id);
  return null;
end;
$$;
comment on function app.reopen_course_of_deleted is
  'A course is not submitted, nor followed, without a submission.';

create trigger formation_submissions_reopen_course after delete on public.formation_submissions
  for each row execute function app.reopen_course_of_deleted();

create function public.refresh_submission_snapshot(p_submission_id uuid)
returns public.user_formation_snapshots
language plpgsql
security definer -- nobody writes snapshots by hand
set search_path = ''
as $$
declare
  submission constant public.formation_submissions := app.take_submission(p_submission_id);
  frozen public.user_formation_snapshots;
begin
  if submission.user_id <> auth.uid() and not public.is_admin_or_owner(auth.uid()) then
    perform app.refuse('FORBIDDEN', 'Tu ne peux pas actualiser cette soumission.');
  end if;
  if submission.status <> 'pending' then
    perform app.refuse_reviewed(submission);
  end if;
  perform app.refuse_empty_course(submission.course_id);

  perform app.freeze_course(submission.id);
  update public.formation_submissions set last_activity_at = clock_timestamp()
  where id = submission.id;
  select * into frozen from public.user_formation_snapshots where submission_id = submission.id;
  return frozen;
end;
$$;
comment on function public.refresh_submission_snapshot is
  'Freeze a pending submission again, as its course reads now: for its author and staff. Refuses '
  'with NOT_FOUND, FORBIDDEN, CONFLICT (answered or withdrawn) or INVALID (modules).';
grant execute on function public.refresh_submission_snapshot to authenticated;

create function public.assign_formation_prof(p_formation_id uuid, p_prof_id uuid)
returns public.user_formations
language plpgsql
security definer -- people may not write user_formations; this is the door of staff
set search_path = ''
as $$
declare
  formation public.user_formations;
begin
  perform app.require_admin();
  -- Held, so that he stays a prof until he accompanies it.
  perform from public.profiles
  where id = p_prof_id and user_type_id = 'prof' and status = 'active'
  for share;
  if p_prof_id is not null and not found then
    perform app.refuse('INVALID', 'Choisis un prof actif.', 'prof_id');
  end if;

  update public.user_formations set prof_id = p_prof_id where id = p_formation_id
  returning * into formation;
  if not found then
    perform app.refuse('NOT_FOUND', 'Cette formation n''existe pas.');
  end if;
  return formation;
end;
$$;
comment on function public.assign_formation_prof is
  'Let a prof accompany a formation, or nobody (null). Refuses with FORBIDDEN, NOT_FOUND or '
  'INVALID (prof_id).';
grant execute on function public.assign_formation_prof to authenticated;

create function app.release_formations() returns trigger
language plpgsql
security definer -- whoever changes somebody's type may not write user_formations
set search_path = ''
as $$
begin
  update public.user_formations set prof_id = null where prof_id = new.id;
  return null;
end;
$$;
comment on function app.release_formations is 'Who is no prof any more accompanies nobody.';

create trigger profiles_release_formations after update of user_type_id on public.profiles
  for each row when (old.user_type_id = 'prof' and new.user_type_id <> 'prof')
  execute function app.release_formations();

-- Who hears of it ------------------------------------------------------------------------------

create function app.broadcast_submission() returns trigger
language plpgsql
security definer -- nobody may write to realtime.messages
set search_path = ''
as $$
begin
  perform realtime.send(
    jsonb_build_object(
      'submission_id', new.id, 'course_id', new.course_id, 'user_id', new.user_id,
      'status', new.status),
    'submission', 'submissions-admin', true);
  return null;
end;
$$;
comment on function app.broadcast_submission is 'Tell the screens of staff what waits for them.';

create trigger formation_submissions_broadcast_added after insert on public.formation_submissions
  for each row execute function app.broadcast_submission();
create trigger formation_submissions_broadcast_changed
  after update of status on public.formation_submissions
  for each row when (old.status <> new.status)
  execute function app.broadcast_submission();

create policy submissions_receive_staff on realtime.messages for select to authenticated
  using (
    extension = 'broadcast'
    and (select realtime.topic()) = 'submissions-admin'
    and (select public.is_admin_or_owner((select auth.uid())))
  );
