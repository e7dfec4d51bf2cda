-- Training onboarding: the form in which a client says what he wants to learn, his answers, saved
-- as he types and submitted when he is ready, and what staff read of them.

create table public.training_onboarding_sections (
  id uuid primary key default gen_random_uuid(),
  slug text not null,
  label text not null,
  help text not null default '',
  position integer not null default 0,
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint training_onboarding_sections_slug_unique unique (slug),
  constraint training_onboarding_sections_slug_form check (slug ~ '^[a-z][a-z0-9_]{0,79}$'),
  constraint training_onboarding_sections_label_length check (
    char_length(label) between 1 and 200
  ),
  constraint training_onboarding_sections_help_length check (char_length(help) <= 1000)
);
comment on table public.training_onboarding_sections is 'The pages of the form, by position.';
comment on column public.training_onboarding_sections.is_active is
  'Off hides the page with its questions.';

create table public.training_onboarding_questions (
  id uuid primary key default gen_random_uuid(),
  section_id uuid not null references public.training_onboarding_sections (id) on delete cascade,
  slug text not null,
  label text not null,
  help text not null default '',
  question_type text not null default 'text',
  is_required boolean not null default false,
  scale_min integer,
  scale_max integer,
  position integer not null default 0,
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint training_onboarding_questions_slug_unique unique (slug),
  constraint training_onboarding_questions_slug_form check (slug ~ '^[a-z][a-z0-9_]{0,79}$'),
  constraint training_onboarding_questions_label_length check (
    char_length(label) between 1 and 300
  ),
  constraint training_onboarding_questions_help_length check (char_length(help) <= 1000),
  constraint training_onboarding_questions_type_known check (
    question_type in (
      'text', 'long_text', 'single_choice', 'multiple_choice', 'scale', 'yes_no', 'date')
  ),
  constraint training_onboarding_questions_scale_bounds check (
    case question_type
      when 'scale' then scale_min is not null and scale_max is not null and scale_min < scale_max
      else num_nonnulls(scale_min, scale_max) = 0
    end
  )
);
comment on table public.training_onboarding_questions is 'The questions of a page, by position.';
comment on column public.training_onboarding_questions.scale_min is 'Of a scale, and only there.';
comment on column public.training_onboarding_questions.scale_max is 'Of a scale, and only there.';
comment on column public.training_onboarding_questions.slug is
  'The key of its answer; metier_activite also fills profiles.profession.';

create table public.training_onboarding_question_options (
  id uuid primary key default gen_random_uuid(),
  question_id uuid not null
    references public.training_onboarding_questions (id) on delete cascade,
  value text not null,
  label text not null,
  position integer not null default 0,
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint training_onboarding_question_options_value_unique unique (question_id, value),
  constraint training_onboarding_question_options_value_form check (
    value ~ '^[a-z0-9][a-z0-9_]{0,79}$'
  ),
  constraint training_onboarding_question_options_label_length check (
    char_length(label) between 1 and 300
  )
);
comment on table public.training_onboarding_question_options is
  'What can be chosen in a question of single or multiple choice, by position.';

create table public.training_onboarding_texts (
  slug text primary key,
  content text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint training_onboarding_texts_slug_form check (slug ~ '^[a-z][a-z0-9_]{0,79}$'),
  constraint training_onboarding_texts_content_length check (
    char_length(content) between 1 and 2000
  )
);
comment on table public.training_onboarding_texts is
  'Sentences around the questions: notice stands under the button that submits.';

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

create index training_onboarding_questions_section_order_idx
  on public.training_onboarding_questions (section_id, position);
create index training_onboarding_question_options_question_order_idx
  on public.training_onboarding_question_options (question_id, position);
create index training_onboarding_nps_user_id_idx on public.training_onboarding_nps (user_id);

create trigger training_onboarding_sections_set_updated_at
  before update on public.training_onboarding_sections
  for each row execute function app.set_updated_at();
create trigger training_onboarding_questions_set_updated_at
  before update on public.training_onboarding_questions
  for each row execute function app.set_updated_at();
create trigger training_onboarding_question_options_set_updated_at
  before update on public.training_onboarding_question_options
  for each row execute function app.set_updated_at();
create trigger training_onboarding_texts_set_updated_at
  before update on public.training_onboarding_texts
  for each row execute function app.set_updated_at();
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

create function app.manages_training() returns boolean
language sql stable
set search_path = ''
as $$
  select coalesce(app.current_user_type() in ('owner', 'admin', 'prof'), false);
$$;
comment on function app.manages_training is
  'Whether the caller looks after the form: an owner, an admin or a prof.';
grant execute on function app.manages_training to authenticated, service_role;

create function app.assigned_user_ids() returns uuid[]
language sql stable
security definer -- it stands under the policies of the table it reads
set search_path = ''
as $$
  select array(
    select distinct user_id from public.user_formations where prof_id = app.current_user_id());
$$;
comment on function app.assigned_user_ids is 'The clients whom the caller accompanies, as prof.';
grant execute on function app.assigned_user_ids to authenticated, service_role;

alter table public.training_onboarding_sections enable row level security;
create policy training_onboarding_sections_select_all on public.training_onboarding_sections
  for select to authenticated
  using ((select app.current_user_id()) is not null);
create policy training_onboarding_sections_insert_staff on public.training_onboarding_sections
  for insert to authenticated
  with check ((select app.manages_training()));
create policy training_onboarding_sections_update_staff on public.training_onboarding_sections
  for update to authenticated
  using ((select app.manages_training()))
  with check ((select app.manages_training()));
create policy training_onboarding_sections_delete_staff on public.training_onboarding_sections
  for delete to authenticated
  using ((select app.manages_training()));
grant select, insert, update, delete on public.training_onboarding_sections to authenticated;
grant select, insert, update, delete on public.training_onboarding_sections to service_role;

alter table public.training_onboarding_questions enable row level security;
create policy training_onboarding_questions_select_all on public.training_onboarding_questions
  for select to authenticated
  using ((select app.current_user_id()) is not null);
create policy training_onboarding_questions_insert_staff on public.training_onboarding_questions
  for insert to authenticated
  with check ((select app.manages_training()));
create policy training_onboarding_questions_update_staff on public.training_onboarding_questions
  for update to authenticated
  using ((select app.manages_training()))
  with check ((select app.manages_training()));
create policy training_onboarding_questions_delete_staff on public.training_onboarding_questions
  for delete to authenticated
  using ((select app.manages_training()));
grant select, insert, update, delete on public.training_onboarding_questions to authenticated;
grant select, insert, update, delete on public.training_onboarding_questions to service_role;

alter table public.training_onboarding_question_options enable row level security;
create policy training_onboarding_question_options_select_all
  on public.training_onboarding_question_options for select to authenticated
  using ((select app.current_user_id()) is not null);
create policy training_onboarding_question_options_insert_staff
  on public.training_onboarding_question_options for insert to authenticated
  with check ((select app.manages_training()));
create policy training_onboarding_question_options_update_staff
  on public.training_onboarding_question_options for update to authenticated
  using ((select app.manages_training()))
  with check ((select app.manages_training()));
create policy training_onboarding_question_options_delete_staff
  on public.training_onboarding_question_options for delete to authenticated
  using ((select app.manages_training()));
grant select, insert, update, delete on public.training_onboarding_question_options
  to authenticated, service_role;

alter table public.training_onboarding_texts enable row level security;
create policy training_onboarding_texts_select_all on public.training_onboarding_texts
  for select to authenticated
  using ((select app.current_user_id()) is not null);
create policy training_onboarding_texts_insert_staff on public.training_onboarding_texts
  for insert to authenticated
  with check ((select app.manages_training()));
create policy training_onboarding_texts_update_staff on public.training_onboarding_texts
  for update to authenticated
  using ((select app.manages_training()))
  with check ((select app.manages_training()));
create policy training_onboarding_texts_delete_staff on public.training_onboarding_texts
  for delete to authenticated
  using ((select app.manages_training()));
grant select, insert, update, delete on public.training_onboarding_texts to authenticated;
grant select, insert, update, delete on public.training_onboarding_texts to service_role;

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

-- What an answer may be ------------------------------------------------------------------------

create view app.training_onboarding_asked with (security_invoker = true) as
select
  question.*, section.slug as section_slug, section.position as section_position
from public.training_onboarding_questions as question
join public.training_onboarding_sections as section on section.id = question.section_id
where question.is_active and section.is_active
  and (
    question.question_type not in ('single_choice', 'multiple_choice')
    or exists (
      select from public.training_onboarding_question_options as option
      where option.question_id = question.id and option.is_active
    )
  );
comment on view app.training_onboarding_asked is
  'The questions that are asked now: active, on an active page, with something to choose from.';

create function app.is_answered(p_answer jsonb) returns boolean
language sql immutable
set search_path = ''
as $$
  select coalesce(
    p_answer not in ('null', '[]')
    and (jsonb_typeof(p_answer) <> 'string' or btrim(p_answer #>> '{}') <> ''),
    false);
$$;
comment on function app.is_answered is 'Whether something was answered: not null, blank or [].';

create function app.is_iso_date(p_text text) returns boolean
language plpgsql immutable
set search_path = ''
as $$
declare
  part constant text[] := regexp_match(p_text, '^(\d{4})-(\d{2})-(\d{2})$');
begin
  return part is not null and make_date(part[1]::integer, part[2]::integer, part[3]::integer)
    is not null;
exception
  when datetime_field_overflow then
    return false;
end;
$$;
comment on function app.is_iso_date is 'Whether it is a day of the calendar, as 2026-11-20.';

create function app.find_answer_fault(
  p_question public.training_onboarding_questions,
  p_answer jsonb
) returns text
language plpgsql stable
set search_path = ''
as $$
declare
  kind constant text := coalesce(jsonb_typeof(p_answer), 'null');
  words constant text := p_answer #>> '{}';
begin
  if not app.is_answered(p_answer) then
    return case when p_question.is_required then 'required' end;
  end if;

  return case p_question.question_type
    when 'yes_no' then case when kind <> 'boolean' then 'type' end
    when 'date' then case when kind <> 'string' or not app.is_iso_date(words) then 'date' end
    when 'scale' then case
      when kind <> 'number' or words !~ '^-?[0-9]{1,9}$' then 'type'
      when words::integer not between p_question.scale_min and p_question.scale_max then 'range'
    end
    when 'single_choice' then case
      when kind <> 'string' then 'type'
      when not app.are_options(p_question.id, jsonb_build_array(p_answer)) then 'option'
    end
    when 'multiple_choice' then case
      when kind <> 'array' then 'type'
      when not app.are_options(p_question.id, p_answer) then 'option'
    end
    else case
      when kind <> 'string' then 'type'
      when char_length(words) > case p_question.question_type when 'text' then 500 else 5000 end
        then 'length'
    end
  end;
end;
$$;
comment on function app.find_answer_fault is
  'What is wrong with an answer: required, type, date, range, option or length; null if nothing.';

create function app.are_options(p_question_id uuid, p_values jsonb) returns boolean
language sql stable
set search_path = ''
as $$
  select coalesce(bool_and(option.id is not null), true)
    and count(*) = count(distinct chosen.value)
  from jsonb_array_elements(p_values) as chosen
  left join public.training_onboarding_question_options as option
    on option.question_id = p_question_id and option.is_active
    and jsonb_build_array(option.value) = jsonb_build_array(chosen.value);
$$;
comment on function app.are_options is
  'Whether all that was chosen stands among the options of a question, each once.';

create function app.find_form_faults(p_answers jsonb) returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_agg(
    jsonb_build_object(
      'slug', asked.slug,
      'problem', asked.fault,
      'message', case asked.fault
        when 'required' then 'Cette réponse est obligatoire.'
        when 'date' then 'Donne une date de la forme AAAA-MM-JJ.'
        when 'range' then format('Choisis entre %s et %s.', asked.scale_min, asked.scale_max)
        when 'option' then 'Ce choix n''est pas proposé.'
        when 'length' then 'Cette réponse est trop longue.'
        else 'Cette réponse n''a pas la bonne forme.'
      end)
    order by asked.section_position, asked.section_slug, asked.position, asked.slug)
  from (
    select
      asked.*,
      app.find_answer_fault(question, p_answers -> asked.slug) as fault
    from app.training_onboarding_asked as asked
    join public.training_onboarding_questions as question on question.id = asked.id
  ) as asked
  where asked.fault is not null;
$$;
comment on function app.find_form_faults is
  'All that is wrong with answers, by slug: slug, problem, message; null when nothing is.';

create function app.asked_answers(p_answers jsonb) returns jsonb
language sql stable
set search_path = ''
as $$
  select coalesce(jsonb_object_agg(answer.key, answer.value), '{}')
  from jsonb_each(p_answers) as answer
  where answer.key in (select slug from app.training_onboarding_asked);
$$;
comment on function app.asked_answers is 'Answers to what is asked now; the others are dropped.';

create function app.dropped_slugs(p_answers jsonb) returns jsonb
language sql stable
set search_path = ''
as $$
  select coalesce(jsonb_agg(slug order by slug), '[]')
  from jsonb_object_keys(p_answers) as slug
  where slug not in (select asked.slug from app.training_onboarding_asked as asked);
$$;
comment on function app.dropped_slugs is 'What was answered though it is not asked.';

create function app.form_progress(p_answers jsonb) returns jsonb
language sql stable
set search_path = ''
as $$
  select jsonb_build_object(
    'total', count(*),
    'answered', count(*) filter (where app.is_answered(p_answers -> slug)),
    'required', count(*) filter (where is_required),
    'required_answered', count(*) filter (
      where is_required and app.is_answered(p_answers -> slug)))
  from app.training_onboarding_asked;
$$;
comment on function app.form_progress is 'How much of what is asked is answered.';

-- What may be asked ----------------------------------------------------------------------------

create function public.get_training_onboarding_form() returns jsonb
language plpgsql stable
security definer -- app.form_progress and the view it reads are not granted
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
    'draft_answers', app.asked_answers(coalesce(mine.draft_answers, '{}')),
    'saved_at', mine.draft_saved_at,
    'base_saved_at', coalesce(mine.draft_saved_at, 'epoch'),
    'first_submitted_at', mine.first_submitted_at,
    'last_submitted_at', mine.last_submitted_at,
    'progress', app.form_progress(coalesce(mine.draft_answers, '{}')));
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
    perform app.require_user(); -- who is gone since he called
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
  is_new boolean;
  merged jsonb;
  mine public.training_onboarding_responses;
begin
  perform app.refuse_odd_answers(p_answers);
  is_new := app.begin_response(caller_id);
  select * into mine from public.training_onboarding_responses
  where user_id = caller_id
  for update;
  if not is_new and date_trunc('milliseconds', p_base_saved_at) < mine.draft_saved_at then
    perform app.refuse('CONFLICT', 'Tes réponses ont été modifiées dans un autre onglet.',
      jsonb_build_object('saved_at', mine.draft_saved_at)::text, 'Recharge la page.');
  end if;

  merged := jsonb_strip_nulls(mine.draft_answers || app.asked_answers(p_answers));
  perform app.refuse_odd_answers(merged);
  update public.training_onboarding_responses set draft_answers = merged where id = mine.id
  returning * into mine;
  return jsonb_build_object(
    'draft_answers', app.asked_answers(mine.draft_answers),
    'saved_at', mine.draft_saved_at,
    'dropped', app.dropped_slugs(p_answers),
    'progress', app.form_progress(mine.draft_answers));
end;
$$;
comment on function public.save_training_onboarding_draft is
  'Keep answers as they are typed, by slug; null takes one back, those not sent stay. Returns the '
  'draft, saved_at to send with the next call, what was dropped because it is not asked, and the '
  'progress. Refuses with INVALID (answers), or CONFLICT when another tab saved after '
  'p_base_saved_at.';
grant execute on function public.save_training_onboarding_draft to authenticated;

create function app.refuse_faulty_form(p_answers jsonb, p_nps jsonb) returns void
language plpgsql stable
set search_path = ''
as $$
declare
  faults constant jsonb := coalesce(app.find_form_faults(p_answers), '[]') || case
    when p_nps is null or p_nps = 'null' then '[]'
    when jsonb_typeof(p_nps) <> 'object'
      or coalesce(jsonb_typeof(p_nps -> 'answer'), 'null') not in ('boolean', 'null')
      or coalesce(jsonb_typeof(p_nps -> 'comment'), 'null') not in ('string', 'null')
      or char_length(p_nps ->> 'comment') > 2000
      then jsonb_build_array(jsonb_build_object(
        'slug', 'nps', 'problem', 'type',
        'message', 'Réponds par oui ou par non, avec 2000 caractères au plus.'))
    else '[]'
  end;
begin
  if faults <> '[]' then
    perform app.refuse('INVALID', 'Certaines réponses sont à revoir.',
      jsonb_build_object('field', 'answers', 'problems', faults)::text);
  end if;
end;
$$;
comment on function app.refuse_faulty_form is
  'Refuse with INVALID, listing every problem by slug, what may not be submitted.';

create function public.submit_training_onboarding(p_answers jsonb, p_nps jsonb default null)
returns jsonb
language plpgsql
security definer -- people may not write what is submitted; this is their door
set search_path = ''
as $$
declare
  caller_id constant uuid := app.require_user();
  answers jsonb;
  submitted_at timestamptz;
  mine public.training_onboarding_responses;
begin
  perform app.refuse_odd_answers(p_answers);
  answers := jsonb_strip_nulls(app.asked_answers(p_answers));
  perform app.refuse_faulty_form(answers, p_nps);

  perform app.begin_response(caller_id);
  perform from public.training_onboarding_responses where user_id = caller_id for update;
  submitted_at := clock_timestamp();
  update public.training_onboarding_responses set
    draft_answers = answers,
    submitted_answers = answers,
    status = 'submitted',
    first_submitted_at = coalesce(first_submitted_at, submitted_at),
    last_submitted_at = submitted_at
  where user_id = caller_id
  returning * into mine;
  perform app.store_nps(mine, p_nps);
  update public.profiles set profession = left(btrim(answers ->> 'metier_activite'), 200)
  where id = caller_id and app.is_answered(answers -> 'metier_activite');
  perform app.enqueue(
    'notify-training-onboarding',
    jsonb_build_object(
      'response_id', mine.id, 'user_id', caller_id, 'submitted_at', mine.last_submitted_at,
      'is_first', mine.first_submitted_at = mine.last_submitted_at),
    p_queue => 'mail');

  return jsonb_build_object(
    'status', mine.status,
    'saved_at', mine.draft_saved_at,
    'first_submitted_at', mine.first_submitted_at,
    'last_submitted_at', mine.last_submitted_at,
    'dropped', app.dropped_slugs(p_answers));
end;
$$;
comment on function public.submit_training_onboarding is
  'Submit the form, again as often as wanted: keeps the answers and the NPS (answer, comment), '
  'carries metier_activite to the profile and queues one notification, or does none of it. An '
  'answer is a text, true or false, a whole number (scale), a day as 2026-11-20, the value of an '
  'option, or a list of such values. Returns status, saved_at, first_submitted_at, '
  'last_submitted_at and what was dropped. Refuses with INVALID: details have problems, a list of '
  'slug, problem (required, type, date, range, option, length) and message.';
grant execute on function public.submit_training_onboarding to authenticated;

create function app.store_nps(p_response public.training_onboarding_responses, p_nps jsonb)
returns void
language sql
set search_path = ''
as $$
  insert into public.training_onboarding_nps (response_id, user_id, answer, comment)
  select
    p_response.id, p_response.user_id, (p_nps ->> 'answer')::boolean,
    nullif(btrim(p_nps ->> 'comment'), '')
  where jsonb_typeof(p_nps) = 'object'
  on conflict (response_id) do update
    set answer = excluded.answer, comment = excluded.comment;
$$;
comment on function app.store_nps is 'Keep the NPS of a response; null leaves what there is.';

create function app.answer_in_words(
  p_question public.training_onboarding_questions,
  p_answer jsonb
) returns text
language sql stable
set search_path = ''
as $$
  select case
    when p_question.question_type = 'yes_no' and jsonb_typeof(p_answer) = 'boolean'
      then case when p_answer::boolean then 'Oui' else 'Non' end
    when p_question.question_type = 'date' and app.is_iso_date(p_answer #>> '{}')
      then to_char((p_answer #>> '{}')::date, 'DD/MM/YYYY')
    when p_question.question_type = 'scale'
      then format('%s / %s', p_answer #>> '{}', p_question.scale_max)
    when p_question.question_type in ('single_choice', 'multiple_choice') then (
      select string_agg(coalesce(option.label, chosen.value), ', ' order by option.position)
      from jsonb_array_elements_text(
        case jsonb_typeof(p_answer) when 'array' then p_answer else jsonb_build_array(p_answer) end
      ) as chosen
      left join public.training_onboarding_question_options as option
        on option.question_id = p_question.id and option.value = chosen.value
    )
    else p_answer #>> '{}'
  end;
$$;
comment on function app.answer_in_words is 'An answer as people read it: labels, not slugs.';

create function public.get_training_onboarding_summary(p_user_id uuid default null)
returns jsonb
language plpgsql stable
security definer -- app.answer_in_words is not granted
set search_path = ''
as $$
declare
  caller_id constant uuid := app.require_user();
  subject_id constant uuid := coalesce(p_user_id, caller_id);
  response public.training_onboarding_responses;
begin
  if subject_id <> caller_id and not public.is_admin_or_owner(caller_id)
    and subject_id <> all (app.assigned_user_ids())
  then
    perform app.refuse('FORBIDDEN', 'Tu ne vois que tes propres réponses.');
  end if;
  if not exists (select from public.profiles where id = subject_id) then
    perform app.refuse('NOT_FOUND', 'Cette personne n''existe pas.');
  end if;
  select * into response from public.training_onboarding_responses where user_id = subject_id;

  return jsonb_build_object(
    'title', case
      when subject_id = caller_id then 'Mes préférences de formation'
      else 'Brief & Profil'
    end,
    'is_editable', subject_id = caller_id,
    'status', response.status,
    'first_submitted_at', response.first_submitted_at,
    'last_submitted_at', response.last_submitted_at,
    'sections', coalesce((
      select jsonb_agg(
        jsonb_build_object('label', section.label, 'answers', answers.listed)
        order by section.position, section.slug)
      from public.training_onboarding_sections as section
      cross join lateral (
        select jsonb_agg(
          jsonb_build_object(
            'question', question.label,
            'answer', app.answer_in_words(
              question, response.submitted_answers -> question.slug))
          order by question.position, question.slug) as listed
        from public.training_onboarding_questions as question
        where question.section_id = section.id
          and app.is_answered(response.submitted_answers -> question.slug)
      ) as answers
      where answers.listed is not null
    ), '[]'),
    'nps', (
      select jsonb_build_object('answer', answer, 'comment', comment)
      from public.training_onboarding_nps where response_id = response.id
    ));
end;
$$;
comment on function public.get_training_onboarding_summary is
  'What somebody submitted, in words, also to questions no longer asked, for himself (null), '
  'staff and his prof: title, is_editable, status (null: nothing yet), first_submitted_at, '
  'last_submitted_at, nps (answer, comment) and sections, each with its label and answers '
  '(question, answer). Refuses with FORBIDDEN or NOT_FOUND.';
grant execute on function public.get_training_onboarding_summary to authenticated;

create function public.set_training_onboarding_active(
  p_kind text,
  p_id uuid,
  p_active boolean
) returns void
language plpgsql
set search_path = ''
as $$
begin
  perform app.require_user();
  if not app.manages_training() then
    perform app.refuse('FORBIDDEN', 'Tu n''as pas le droit de faire cela.');
  end if;
  if p_active is null then
    perform app.refuse('INVALID', 'Dis si c''est actif ou non.', 'active');
  end if;

  case p_kind
    when 'section' then
      update public.training_onboarding_sections set is_active = p_active where id = p_id;
    when 'question' then
      update public.training_onboarding_questions set is_active = p_active where id = p_id;
    when 'option' then
      update public.training_onboarding_question_options set is_active = p_active
      where id = p_id;
    else
      perform app.refuse('INVALID', 'Ce genre d''élément n''existe pas.', 'kind');
  end case;
  if not found then
    perform app.refuse('NOT_FOUND', 'Cet élément du formulaire n''existe pas.');
  end if;
end;
$$;
comment on function public.set_training_onboarding_active is
  'Ask or hide what p_kind says, a section, question or option: for owners, admins and profs. '
  'Refuses with FORBIDDEN, INVALID (kind, active) or NOT_FOUND.';
grant execute on function public.set_training_onboarding_active to authenticated;
