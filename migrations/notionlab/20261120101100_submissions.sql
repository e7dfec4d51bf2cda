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
comment on column public.user_formations.prof_id is
  'The prof who accompanies it, if any; what ended stays in his sight until staff take it away.';

-- This index, not the function that submits, is what stops a course being submitted twice.
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

create function app.accompanied_submission_ids() returns uuid[]
language sql stable
security definer -- it stands under the policies of the table it reads
set search_path = ''
as $$
  select array(
    select submission_id from public.user_formations
    where prof_id = app.current_user_id() and ended_at is null);
$$;
comment on function app.accompanied_submission_ids is
  'The submissions whose formations the caller accompanies now: a short list, asked first.';
grant execute on function app.accompanied_submission_ids to authenticated, service_role;

alter table public.formation_submissions enable row level security;
create policy formation_submissions_select_own_assigned_or_staff on public.formation_submissions
  for select to authenticated
  using (
    user_id = (select app.current_user_id())
    or (select app.current_user_type() in ('admin', 'owner'))
    -- The longest last, only made for a row that needs it. Hashed (in), for a prof who does not
    -- name himself: the newest of everybody are looked up in it.
    or id in (select unnest((select app.assigned_submission_ids())))
  );
-- People write through the functions of the next chapters, which hold the course meanwhile.
grant select on public.formation_submissions to authenticated;
grant select, insert, update, delete on public.formation_submissions to service_role;

alter table public.user_formation_snapshots enable row level security;
create policy user_formation_snapshots_select_own_assigned_or_staff
  on public.user_formation_snapshots for select to authenticated
  using (
    user_id = (select app.current_user_id())
    -- Everybody's for staff, an empty range for others: a mere yes or no here would have
    -- PostgreSQL read everybody's rows to find those of one client.
    or user_id between (
        select case when app.current_user_type() in ('admin', 'owner')
          then '00000000-0000-0000-0000-000000000000'::uuid end
      ) and 'ffffffff-ffff-ffff-ffff-ffffffffffff'
    or submission_id = any ((select app.accompanied_submission_ids())::uuid[])
    or submission_id = any ((select app.assigned_submission_ids())::uuid[])
  );
-- Frozen: nobody writes one by hand, a server no more than the others.
grant select on public.user_formation_snapshots to authenticated, service_role;

alter table public.user_formations enable row level security;
create policy user_formations_select_own_assigned_or_staff on public.user_formations
  for select to authenticated
  using (
    user_id = (select app.current_user_id())
    or prof_id = (select app.current_user_id())
    or (select app.current_user_type() in ('admin', 'owner'))
  );
-- A formation begins in approve_user_parcours_submission and ends with its course.
grant select on public.user_formations to authenticated;
grant select, insert, update, delete on public.user_formations to service_role;

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
