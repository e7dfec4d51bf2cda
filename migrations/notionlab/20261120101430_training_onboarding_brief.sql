-- Training onboarding: what a client submitted, in words, for himself, his prof and staff.

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
