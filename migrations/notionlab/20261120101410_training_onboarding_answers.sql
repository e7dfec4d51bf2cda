-- Training onboarding: a client's answers, saved as he types, in one tab at a time.

create table public.training_onboarding_responses (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references auth.users (id) on delete cascade,
  draft_answers jsonb not null default '{}',
  submitted_answers jsonb,
  status text not null default 'draft',
  draft_saved_at timestamptz not null default date_trunc('milliseconds', clock_timestamp()),
  first_submitted_at timestamptz,
  last_submitted_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint training_onboarding_responses_one_per_user unique (user_id),
  constraint training_onboarding_responses_status_known check (status in ('draft', 'submitted')),
  constraint training_onboarding_responses_submitted_whole check (
    (status = 'submitted') = (submitted_answers is not null)
    and num_nonnulls(submitted_answers, first_submitted_at, last_submitted_at) in (0, 3)
  ),
  constraint training_onboarding_responses_draft_object check (
    jsonb_typeof(draft_answers) = 'object' and octet_length(draft_answers::text) <= 200000
  )
);
comment on table public.training_onboarding_responses is
  'What somebody answered: as he types (draft), and as he submitted it last.';
comment on column public.training_onboarding_responses.draft_answers is 'By slug of the question.';
comment on column public.training_onboarding_responses.draft_saved_at is
  'When the draft changed last, in whole milliseconds as JavaScript keeps them.';

create table public.training_onboarding_nps (
  id uuid primary key default gen_random_uuid(),
  response_id uuid not null
    references public.training_onboarding_responses (id) on delete cascade,
  user_id uuid not null references auth.users (id) on delete cascade,
  answer boolean,
  comment text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint training_onboarding_nps_one_per_response unique (response_id),
  constraint training_onboarding_nps_comment_length check (char_length(comment) <= 2000)
);
comment on table public.training_onboarding_nps is
  'Whether somebody would recommend the form, and why.';

create index training_onboarding_nps_user_id_idx on public.training_onboarding_nps (user_id);

create trigger training_onboarding_responses_set_updated_at
  before update on public.training_onboarding_responses
  for each row execute function app.set_updated_at();
create trigger training_onboarding_nps_set_updated_at
  before update on public.training_onboarding_nps
  for each row execute function app.set_updated_at();

create function app.date_draft() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  new.draft_saved_at := greatest(
    date_trunc('milliseconds', clock_timestamp()),
    old.draft_saved_at + interval '1 millisecond');
  return new;
end;
$$;
comment on function app.date_draft is
  'Date a draft that changed, later than every earlier change: tabs compare these dates.';

create trigger training_onboarding_responses_date_draft
  before update on public.training_onboarding_responses
  for each row when (old.draft_answers is distinct from new.draft_answers)
  execute function app.date_draft();

-- Who may see and write ------------------------------------------------------------------------

create function app.assigned_user_ids() returns uuid[]
language sql stable
security definer -- it stands under the policies of the table it reads
set search_path = ''
as $$
  -- Formations that ended stay in his sight; what a client told about himself need not.
  select array(
    select distinct user_id from public.user_formations
    where prof_id = app.current_user_id() and ended_at is null);
$$;
comment on function app.assigned_user_ids is
  'The clients whom the caller accompanies at present, as prof.';
grant execute on function app.assigned_user_ids to authenticated, service_role;

alter table public.training_onboarding_responses enable row level security;
create policy training_onboarding_responses_select_own on public.training_onboarding_responses
  for select to authenticated
  using (user_id = (select app.current_user_id()));
create policy training_onboarding_responses_select_assigned_or_staff
  on public.training_onboarding_responses for select to authenticated
  using (
    user_id = any ((select app.assigned_user_ids())::uuid[])
    or (select public.is_admin_or_owner((select auth.uid())))
  );
create policy training_onboarding_responses_insert_own on public.training_onboarding_responses
  for insert to authenticated
  with check (user_id = (select app.current_user_id()));
create policy training_onboarding_responses_update_own on public.training_onboarding_responses
  for update to authenticated
  using (user_id = (select app.current_user_id()))
  with check (user_id = (select app.current_user_id()));
-- The draft is everybody's own; what is submitted goes through the function, which examines it.
grant select, insert (user_id, draft_answers), update (draft_answers)
  on public.training_onboarding_responses to authenticated;
grant select, insert, update, delete on public.training_onboarding_responses to service_role;

alter table public.training_onboarding_nps enable row level security;
create policy training_onboarding_nps_select_own_assigned_or_staff
  on public.training_onboarding_nps for select to authenticated
  using (
    user_id = (select app.current_user_id())
    or user_id = any ((select app.assigned_user_ids())::uuid[])
    or (select public.is_admin_or_owner((select auth.uid())))
  );
-- Written with the submission, in submit_training_onboarding.
grant select on public.training_onboarding_nps to authenticated;
grant select, insert, update, delete on public.training_onboarding_nps to service_role;

-- What is answered -----------------------------------------------------------------------------

create function app.given_answers(p_answers jsonb) returns jsonb
language sql immutable
set search_path = ''
as $$
  select p_answers - array(
    select key from jsonb_each(p_answers)
    where coalesce(btrim(value #>> '{}'), '') = '' or value = '[]');
$$;
comment on function app.given_answers is 'Answers that say something: not null, blank or [].';

-- In PL/pgSQL, which keeps the plan: a draft is saved at each pause of the keyboard.
create function app.asked_slugs() returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select coalesce(jsonb_object_agg(slug, is_required), '{}') from app.training_onboarding_asked);
end;
$$;
comment on function app.asked_slugs is 'What is asked now, each with whether it is required.';

create function app.unasked_slugs(p_answers jsonb, p_asked jsonb) returns text[]
language plpgsql immutable
set search_path = ''
as $$
begin
  return array(
    select slug from jsonb_object_keys(p_answers) as slug where not p_asked ? slug order by slug);
end;
$$;
comment on function app.unasked_slugs is 'What was answered though it is not asked.';

create function app.describe_draft(p_answers jsonb, p_asked jsonb) returns jsonb
language plpgsql immutable
set search_path = ''
as $$
declare
  given constant jsonb := app.given_answers(p_answers);
begin
  return (
    select jsonb_build_object(
      'draft_answers', p_answers - app.unasked_slugs(p_answers, p_asked),
      'progress', jsonb_build_object(
        'total', count(*),
        'answered', count(*) filter (where given ? slug),
        'required', count(*) filter (where required = 'true'),
        'required_answered', count(*) filter (where required = 'true' and given ? slug)))
    from jsonb_each(p_asked) as asked (slug, required));
end;
$$;
comment on function app.describe_draft is
  'Of a draft what is asked now (draft_answers), and how much of that is answered (progress).';

-- What may be asked ----------------------------------------------------------------------------

create function public.get_training_onboarding_form() returns jsonb
language plpgsql stable
security definer -- the view of what is asked is not granted
set search_path = ''
as $$
declare
  caller_id constant uuid := app.require_user();
  mine public.training_onboarding_responses;
begin
  select * into mine from public.training_onboarding_responses where user_id = caller_id;

  return jsonb_build_object(
    'sections', coalesce((
      select jsonb_agg(
        jsonb_build_object(
          'slug', section.slug, 'label', section.label, 'help', section.help,
          'questions', questions.listed)
        order by section.position, section.slug)
      from public.training_onboarding_sections as section
      cross join lateral (
        select jsonb_agg(
          jsonb_build_object(
            'slug', question.slug, 'label', question.label, 'help', question.help,
            'type', question.question_type, 'required', question.is_required,
            'scale_min', question.scale_min, 'scale_max', question.scale_max,
            'options', options.listed)
          order by question.position, question.slug) as listed
        from app.training_onboarding_asked as question
        cross join lateral (
          select coalesce(
            jsonb_agg(
              jsonb_build_object('value', option.value, 'label', option.label)
              order by option.position, option.value),
            '[]') as listed
          from public.training_onboarding_question_options as option
          where option.question_id = question.id and option.is_active
        ) as options
        where question.section_id = section.id
      ) as questions
      where questions.listed is not null
    ), '[]'),
    'notice', (select content from public.training_onboarding_texts where slug = 'notice'),
    'status', coalesce(mine.status, 'draft'),
    'saved_at', mine.draft_saved_at,
    'base_saved_at', coalesce(mine.draft_saved_at, 'epoch'),
    'first_submitted_at', mine.first_submitted_at,
    'last_submitted_at', mine.last_submitted_at
  ) || app.describe_draft(coalesce(mine.draft_answers, '{}'), app.asked_slugs());
end;
$$;
comment on function public.get_training_onboarding_form is
  'The form as it is asked now: sections (slug, label, help, questions), their questions (slug, '
  'label, help, type, required, scale_min, scale_max, options) and options (value, label), and '
  'the notice under it. With the caller''s status, draft_answers by slug, saved_at (null: never), '
  'base_saved_at to send with the first save, first_submitted_at, last_submitted_at and progress '
  '(total, answered, required, required_answered). Refuses with NOT_AUTHENTICATED or FORBIDDEN.';
grant execute on function public.get_training_onboarding_form to authenticated;

create function app.begin_response(p_user_id uuid) returns boolean
language plpgsql
set search_path = ''
as $$
begin
  -- The account before all that goes with it, in the order in which it goes.
  perform from auth.users where id = p_user_id for key share;
  if not found then
    perform app.require_user(); -- refuses: the account has gone since it was asked for
  end if;
  insert into public.training_onboarding_responses (user_id) values (p_user_id)
  on conflict (user_id) do nothing;
  return found;
end;
$$;
comment on function app.begin_response is
  'Hold somebody''s account and make his response; false when he has one.';

create function app.refuse_odd_answers(p_answers jsonb) returns void
language plpgsql immutable
set search_path = ''
as $$
begin
  if jsonb_typeof(p_answers) is distinct from 'object' then
    perform app.refuse('INVALID', 'Envoie tes réponses par question.', 'answers');
  end if;
  if octet_length(p_answers::text) > 100000 then
    perform app.refuse('INVALID', 'Tes réponses sont trop longues.', 'answers');
  end if;
end;
$$;
comment on function app.refuse_odd_answers is
  'Refuse with INVALID (answers) what is no object, or enormous.';

create function public.save_training_onboarding_draft(
  p_answers jsonb,
  p_base_saved_at timestamptz default null
) returns jsonb
language plpgsql
security definer -- the view of what is asked is not granted
set search_path = ''
as $$
declare
  caller_id constant uuid := app.require_user();
  is_new boolean := false;
  asked jsonb;
  dropped text[];
  merged jsonb;
  mine public.training_onboarding_responses;
begin
  perform app.refuse_odd_answers(p_answers);
  select * into mine from public.training_onboarding_responses
  where user_id = caller_id
  for update;
  if not found then
    is_new := app.begin_response(caller_id);
    select * into mine from public.training_onboarding_responses
    where user_id = caller_id
    for update;
  end if;
  if not is_new and date_trunc('milliseconds', p_base_saved_at) < mine.draft_saved_at then
    perform app.refuse('CONFLICT', 'Tes réponses ont été modifiées dans un autre onglet.',
      jsonb_build_object('saved_at', mine.draft_saved_at)::text, 'Recharge la page.');
  end if;

  asked := app.asked_slugs();
  dropped := app.unasked_slugs(p_answers, asked);
  merged := jsonb_strip_nulls(mine.draft_answers || (p_answers - dropped));
  perform app.refuse_odd_answers(merged);
  update public.training_onboarding_responses set draft_answers = merged where id = mine.id
  returning * into mine;
  return app.describe_draft(merged, asked)
    || jsonb_build_object('saved_at', mine.draft_saved_at, 'dropped', dropped);
end;
$$;
comment on function public.save_training_onboarding_draft is
  'Keep answers as they are typed, by slug; null takes one back, those not sent stay. Returns the '
  'draft, saved_at to send with the next call, what was dropped because it is not asked, and the '
  'progress. Refuses with INVALID (answers), or CONFLICT when another tab saved after '
  'p_base_saved_at.';
grant execute on function public.save_training_onboarding_draft to authenticated;
