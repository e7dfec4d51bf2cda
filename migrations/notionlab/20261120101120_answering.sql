-- Submissions: staff approve or reject what was frozen, and choose the prof who accompanies.

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
