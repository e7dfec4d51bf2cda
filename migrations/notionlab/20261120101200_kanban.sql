-- Kanban: one board for each formation, one card for each module of what was frozen. Whoever moves
-- a card holds the submission, so that two moves come one after the other, for the screens too.

create table public.formation_module_statuses (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references public.profiles (id) on delete cascade,
  submission_id uuid not null references public.formation_submissions (id) on delete cascade,
  module_uuid uuid not null,
  status text not null default 'todo',
  position integer not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint formation_module_statuses_status_known check (
    status in ('todo', 'in_progress', 'blocked', 'done')
  ),
  constraint formation_module_statuses_position_natural check (position >= 0),
  constraint formation_module_statuses_one_per_module unique (submission_id, module_uuid)
);
comment on table public.formation_module_statuses is
  'Cards: where each module of a formation stands. A column is numbered from 0 without gaps.';
comment on column public.formation_module_statuses.position is 'The place in its column, from 0.';
comment on column public.formation_module_statuses.module_uuid is
  'A module of the snapshot; the course may have lost it since.';

create index formation_module_statuses_user_id_idx on public.formation_module_statuses (user_id);

create trigger formation_module_statuses_set_updated_at
  before update on public.formation_module_statuses
  for each row execute function app.set_updated_at();

alter table public.formation_module_statuses enable row level security;
create policy formation_module_statuses_select_own_assigned_or_staff
  on public.formation_module_statuses for select to authenticated
  using (
    user_id = (select app.current_user_id())
    -- Everybody's for staff, an empty range for others: a mere yes or no here would have
    -- PostgreSQL read everybody's cards to find those of one client.
    or user_id between (
        select case when app.current_user_type() in ('admin', 'owner')
          then '00000000-0000-0000-0000-000000000000'::uuid end
      ) and 'ffffffff-ffff-ffff-ffff-ffffffffffff'
    or submission_id = any ((select app.accompanied_submission_ids())::uuid[])
    or submission_id = any ((select app.assigned_submission_ids())::uuid[])
  );
-- People write through move_kanban_module, which keeps the columns numbered.
grant select on public.formation_module_statuses to authenticated;
grant select, insert, update, delete on public.formation_module_statuses to service_role;

create view public.kanban_user_modules_v1 with (security_invoker = true) as
select
  card.id as status_id,
  -- The snapshot's rather than the card's: whoever asks for a person's boards finds those first.
  snapshot.user_id,
  -- The card's: by a column that is unique in its table the Data API would embed one row only.
  card.submission_id,
  card.module_uuid,
  card.status,
  card.position,
  module.said ->> 'title' as title,
  module.said ->> 'description' as description,
  (module.said ->> 'duration')::integer as duration
from public.user_formation_snapshots as snapshot
-- Of all that unpacks JSON this is what PostgreSQL expects the most rows of (1,000), and so hashes
-- the modules of a board, where it might have told them all again for each card.
cross join lateral jsonb_path_query(snapshot.content, '$.modules[*]') as module (said)
join public.formation_module_statuses as card
  on card.submission_id = snapshot.submission_id
  and card.module_uuid = (module.said ->> 'module_uuid')::uuid;
comment on column public.kanban_user_modules_v1.status_id is
  'The card: what move_kanban_module is given.';
comment on column public.kanban_user_modules_v1.position is 'Its place in its column, from 0.';
comment on view public.kanban_user_modules_v1 is
  'Cards in the words of the snapshot; the duration is in minutes.';
grant select on public.kanban_user_modules_v1 to authenticated, service_role;

-- What must hold -------------------------------------------------------------------------------

create function app.fill_board(p_submission_id uuid, p_former_submission_id uuid default null)
returns void
language plpgsql
set search_path = ''
as $$
declare
  changed integer;
begin
  with frozen as (
    select snapshot.user_id, said.module_uuid, said.position
    from public.user_formation_snapshots as snapshot
    cross join jsonb_to_recordset(snapshot.content -> 'modules')
      as said (module_uuid uuid, position integer)
    where snapshot.submission_id = p_submission_id
  ),
  gone as (
    delete from public.formation_module_statuses
    where submission_id = p_former_submission_id
      or submission_id = p_submission_id
        and module_uuid <> all (array(select module_uuid from frozen))
    returning submission_id, module_uuid, status, position
  ),
  added as (
    insert into public.formation_module_statuses
      (user_id, submission_id, module_uuid, status, position)
    select
      frozen.user_id, p_submission_id, frozen.module_uuid, coalesce(former.status, 'todo'),
      -- After what stands in the column; the numbers are closed below.
      coalesce(former.position, 1000 + frozen.position)
    from frozen
    left join gone as former
      on former.submission_id = p_former_submission_id
      and former.module_uuid = frozen.module_uuid
    on conflict (submission_id, module_uuid) do nothing
    returning id
  )
  select (select count(*) from gone) + (select count(*) from added) into changed;
  perform app.number_columns(p_submission_id);

  if changed > 0 then
    perform app.broadcast_board(p_submission_id);
    perform app.broadcast_board(p_former_submission_id);
  end if;
end;
$$;
comment on function app.fill_board is
  'Give a board a card for each module of its snapshot, and no other: cards that stay keep their '
  'place, those of a former submission hand theirs over. Tells the screens when it changed.';

create function app.broadcast_board(p_submission_id uuid) returns void
language sql
set search_path = ''
as $$
  select realtime.send(
    jsonb_build_object('submission_id', p_submission_id),
    'kanban_initialised', 'kanban:' || p_submission_id, true)
  where p_submission_id is not null;
$$;
comment on function app.broadcast_board is 'Tell the screens of a board to read it again.';

create function app.number_columns(p_submission_id uuid) returns void
language sql
set search_path = ''
as $$
  update public.formation_module_statuses as card set position = place.number
  from (
    select
      id, row_number() over (partition by status order by position, created_at, id) - 1 as number
    from public.formation_module_statuses
    where submission_id = p_submission_id
  ) as place
  where card.id = place.id and card.position <> place.number;
$$;
comment on function app.number_columns is 'Number each column of a board from 0 without gaps.';

create function app.end_formations() returns trigger
language plpgsql
security definer -- people may not write what follows a course
set search_path = ''
as $$
begin
  -- Held, so that nobody moves a card that is going.
  perform from public.formation_submissions where course_id = new.id order by id for update;
  update public.formation_submissions
  set status = 'withdrawn', last_activity_at = clock_timestamp()
  where course_id = new.id and status = 'pending';
  perform app.broadcast_board(submission_id)
  from public.user_formations where course_id = new.id and ended_at is null;
  update public.user_formations set ended_at = clock_timestamp()
  where course_id = new.id and ended_at is null;
  delete from public.formation_module_statuses
  where submission_id = any (
    array(select id from public.formation_submissions where course_id = new.id)
  );
  return null;
end;
$$;
comment on function app.end_formations is
  'A course that is archived or deleted leaves no board and no submission that waits.';

create trigger courses_end_formations after update of status, deleted_at on public.courses
  for each row
  when (
    new.status = 'archived' and old.status <> 'archived'
    or new.deleted_at is not null and old.deleted_at is null
  )
  execute function app.end_formations();

create function app.reopen_deleted_course() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  new.status := 'draft';
  return new;
end;
$$;
comment on function app.reopen_deleted_course is
  'An operator who brings a course back finds a draft: nobody examines or follows it any more.';

create trigger courses_reopen_deleted before update of deleted_at on public.courses
  for each row
  when (
    old.deleted_at is null and new.deleted_at is not null
    and new.course_type = 'custom' and new.status in ('submitted', 'published')
  )
  execute function app.reopen_deleted_course();

-- What may be asked ----------------------------------------------------------------------------

create function public.init_kanban_statuses_for_submission(p_submission_id uuid)
returns setof public.kanban_user_modules_v1
language plpgsql
security definer -- people may not write formation_module_statuses; this is their door
set search_path = ''
as $$
declare
  submission constant public.formation_submissions := app.take_submission(p_submission_id);
begin
  if submission.user_id <> auth.uid() and not public.is_admin_or_owner(auth.uid()) then
    perform app.refuse('FORBIDDEN', 'Tu ne peux pas modifier ce tableau.');
  end if;
  if not exists (
    select from public.user_formations where submission_id = submission.id and ended_at is null
  ) then
    perform app.refuse('CONFLICT', 'Cette formation n''est pas en cours.',
      jsonb_build_object('status', submission.status)::text);
  end if;

  perform app.fill_board(submission.id);
  return query
    select * from public.kanban_user_modules_v1
    where submission_id = submission.id
    order by status, position;
end;
$$;
comment on function public.init_kanban_statuses_for_submission is
  'Make the board of a formation again from its snapshot, keeping the progress of modules that '
  'still exist, and return its cards; a second call changes nothing. Refuses with NOT_FOUND, '
  'FORBIDDEN or CONFLICT (not under way).';
grant execute on function public.init_kanban_statuses_for_submission to authenticated;

create function app.take_card(p_status_id uuid) returns public.formation_module_statuses
language plpgsql
set search_path = ''
as $$
declare
  caller_id constant uuid := app.require_user();
  card public.formation_module_statuses;
begin
  -- A board's moves wait here for each other; the card is read again once it is their turn.
  perform from public.formation_submissions
  where id = (select submission_id from public.formation_module_statuses where id = p_status_id)
  for no key update;
  select * into card from public.formation_module_statuses
  where id = p_status_id
    and (
      user_id = caller_id
      or submission_id = any (app.assigned_submission_ids())
      or public.is_admin_or_owner(caller_id)
    );
  if not found then
    perform app.refuse('NOT_FOUND', 'Cette carte n''existe pas.');
  end if;
  if card.user_id <> caller_id and not public.is_admin_or_owner(caller_id) then
    perform app.refuse('FORBIDDEN', 'Tu ne peux pas déplacer cette carte.');
  end if;
  return card;
end;
$$;
comment on function app.take_card is
  'A card that the caller may move, with its board locked. Refuses with NOT_FOUND or FORBIDDEN.';

create function public.move_kanban_module(p_status_id uuid, p_status text, p_position integer)
returns public.formation_module_statuses
language plpgsql
security definer -- people may not write formation_module_statuses; this is their door
set search_path = ''
as $$
declare
  card public.formation_module_statuses := app.take_card(p_status_id);
  former constant public.formation_module_statuses := card;
begin
  if p_status is null or p_status not in ('todo', 'in_progress', 'blocked', 'done') then
    perform app.refuse('INVALID', 'Cette colonne n''existe pas.', 'status');
  end if;
  if p_position is null or p_position < 0 then
    perform app.refuse('INVALID', 'Cette place n''existe pas.', 'position');
  end if;

  with others as (
    select
      id, status, row_number() over (partition by status order by position, created_at, id) - 1
        as number
    from public.formation_module_statuses
    where submission_id = card.submission_id and id <> card.id
      and status in (card.status, p_status)
  ),
  places as (
    select
      id, status,
      case when status = p_status and number >= p_position then number + 1 else number end
        as position
    from others
    union all
    select
      card.id, p_status, least(p_position, (select count(*) from others where status = p_status))
  )
  update public.formation_module_statuses as moved
  set status = places.status, position = places.position
  from places
  where moved.id = places.id
    and (moved.status, moved.position) is distinct from (places.status, places.position);

  select * into card from public.formation_module_statuses where id = p_status_id;
  if (card.status, card.position) is distinct from (former.status, former.position) then
    update public.formation_submissions set last_activity_at = clock_timestamp()
    where id = card.submission_id;
    perform realtime.send(
      jsonb_build_object(
        'status_id', card.id, 'submission_id', card.submission_id,
        'module_uuid', card.module_uuid, 'status', card.status, 'position', card.position,
        'from_status', former.status, 'from_position', former.position, 'moved_by', auth.uid()),
      'module_moved', 'kanban:' || card.submission_id, true);
  end if;
  return card;
end;
$$;
comment on function public.move_kanban_module is
  'Put a card at a place of a column, counted from 0, or past the end to the last one, and return '
  'it. Refuses with NOT_FOUND, FORBIDDEN (a prof only looks) or INVALID (status, position).';
grant execute on function public.move_kanban_module to authenticated;

-- Who hears of it ------------------------------------------------------------------------------

create function app.may_watch_board(p_topic text) returns boolean
language sql stable
security definer -- it stands under the policies of the tables it reads
set search_path = ''
as $$
  select exists (
    select from public.formation_submissions as submission
    where submission.id = (
        case when p_topic ~ '^kanban:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
          then substr(p_topic, 8)::uuid end)
      and (
        submission.user_id = app.current_user_id()
        or submission.id = any (app.assigned_submission_ids())
        or public.is_admin_or_owner(auth.uid())
      )
  );
$$;
comment on function app.may_watch_board is
  'Whether the caller may join kanban:{submission_id}: its owner, its prof, staff.';
grant execute on function app.may_watch_board to authenticated, service_role;

create policy kanban_receive_own_assigned_or_staff on realtime.messages for select to authenticated
  using (extension = 'broadcast' and (select app.may_watch_board((select realtime.topic()))));
