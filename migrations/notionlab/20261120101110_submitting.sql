-- Submissions: a client submits his course, freezes it again, and takes it back.

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
