-- Training onboarding: what a client submitted, in words, for himself, his prof and staff.

create function app.answers_in_words(p_answers jsonb) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    with answered as (
      select
        question.id, section_id, position, slug, label, question_type, scale_max,
        said.value as answer, said.value #>> '{}' as words
      from jsonb_each(p_answers) as said
      join public.training_onboarding_questions as question on question.slug = said.key
      where btrim(said.value #>> '{}') <> '' and said.value <> '[]'
    ),
    choices as (
      select
        answered.id,
        string_agg(
          coalesce(option.label, chosen.value), ', ' order by option.position, chosen.value
        ) as words
      from answered
      cross join lateral jsonb_array_elements_text(
        case jsonb_typeof(answer) when 'array' then answer else jsonb_build_array(answer) end
      ) as chosen
      left join public.training_onboarding_question_options as option
        on option.question_id = answered.id and option.value = chosen.value
      where answered.question_type in ('single_choice', 'multiple_choice')
      group by answered.id
    ),
    pages as (
      select answered.section_id, jsonb_agg(
        jsonb_build_object('question', answered.label, 'answer', case
          when choices.id is not null then choices.words
          when question_type = 'yes_no' and answer = 'true' then 'Oui'
          when question_type = 'yes_no' and answer = 'false' then 'Non'
          when question_type = 'date' and app.is_iso_date(answered.words)
            then to_char(answered.words::date, 'DD/MM/YYYY')
          when question_type = 'scale' then format('%s / %s', answered.words, scale_max)
          else answered.words
        end)
        order by answered.position, answered.slug) as answers
      from answered left join choices on choices.id = answered.id
      group by answered.section_id
    )
    select jsonb_agg(
      jsonb_build_object('label', section.label, 'answers', pages.answers)
      order by section.position, section.slug)
    from pages
    join public.training_onboarding_sections as section on section.id = pages.section_id);
end;
$$;
comment on function app.answers_in_words is
  'Answers as people read them, labels rather than slugs, by page; null without any.';

create function public.get_training_onboarding_summary(p_user_id uuid default null)
returns jsonb
language plpgsql stable
security definer -- app.answers_in_words is not granted
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
  select submitted.* into response
  from public.profiles
  left join public.training_onboarding_responses as submitted on submitted.user_id = profiles.id
  where profiles.id = subject_id;
  if not found then
    perform app.refuse('NOT_FOUND', 'Cette personne n''existe pas.');
  end if;

  return jsonb_build_object(
    'title', case
      when subject_id = caller_id then 'Mes préférences de formation'
      else 'Brief & Profil'
    end,
    'is_editable', subject_id = caller_id,
    'status', response.status,
    'first_submitted_at', response.first_submitted_at,
    'last_submitted_at', response.last_submitted_at,
    'sections', coalesce(app.answers_in_words(response.submitted_answers), '[]'),
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
