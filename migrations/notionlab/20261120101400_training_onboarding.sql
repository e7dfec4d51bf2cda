-- Training onboarding: the form in which a client says what he wants to learn. Staff and profs
-- keep its pages, questions and options.

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

create index training_onboarding_questions_section_order_idx
  on public.training_onboarding_questions (section_id, position);
create index training_onboarding_question_options_question_order_idx
  on public.training_onboarding_question_options (question_id, position);

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

-- The same for all tables of the form.
do $$
declare
  part text;
begin
  foreach part in array array['sections', 'questions', 'question_options', 'texts'] loop
    execute format($rules$
      alter table public.%1$I enable row level security;
      create policy %1$s_select_all on public.%1$I for select to authenticated
        using ((select app.current_user_id()) is not null);
      create policy %1$s_insert_staff on public.%1$I for insert to authenticated
        with check ((select app.manages_training()));
      create policy %1$s_update_staff on public.%1$I for update to authenticated
        using ((select app.manages_training()))
        with check ((select app.manages_training()));
      create policy %1$s_delete_staff on public.%1$I for delete to authenticated
        using ((select app.manages_training()));
      grant select, insert, update, delete on public.%1$I to authenticated, service_role;
    $rules$, 'training_onboarding_' || part);
  end loop;
end;
$$;

-- What may be asked ----------------------------------------------------------------------------

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

create function public.set_training_onboarding_active(
  p_kind text,
  p_id uuid,
  p_active boolean
) returns void
language plpgsql
security definer -- it has asked already what the policies would ask twice more
set search_path = ''
as $$
begin
  if not exists (select from app.caller where user_type_id in ('owner', 'admin', 'prof')) then
    perform app.require_user();
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
