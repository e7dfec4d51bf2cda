-- Sample: an admin reads the brief of a client.
select bench.id('person', 2) as caller, user_id as p_user_id
from public.training_onboarding_responses order by random() limit 200
-- By hand
with response as (
  select * from public.training_onboarding_responses where user_id = %(p_user_id)s
),
labels as (
  select q.id, string_agg(o.label, ', ' order by o.position) as words
  from response
  cross join lateral jsonb_each(response.submitted_answers) as said
  join public.training_onboarding_questions as q on q.slug = said.key
    and q.question_type in ('single_choice', 'multiple_choice')
  cross join lateral jsonb_array_elements_text(case jsonb_typeof(said.value)
    when 'array' then said.value else jsonb_build_array(said.value) end) as chosen
  join public.training_onboarding_question_options as o
    on o.question_id = q.id and o.value = chosen.value
  group by q.id
),
answers as (
  select q.section_id, jsonb_agg(
    jsonb_build_object('question', q.label, 'answer', case q.question_type
      when 'yes_no' then case said.value when 'true' then 'Oui' else 'Non' end
      when 'date' then to_char((said.value #>> '{}')::date, 'DD/MM/YYYY')
      when 'scale' then (said.value #>> '{}') || ' / ' || q.scale_max
      else coalesce(labels.words, said.value #>> '{}') end)
    order by q.position, q.slug) as listed
  from response
  cross join lateral jsonb_each(response.submitted_answers) as said
  join public.training_onboarding_questions as q on q.slug = said.key
  left join labels on labels.id = q.id
  where said.value not in ('null', '[]', '""')
  group by q.section_id
)
select jsonb_build_object(
  'title', 'Brief & Profil', 'is_editable', false, 'status', response.status,
  'first_submitted_at', response.first_submitted_at,
  'last_submitted_at', response.last_submitted_at,
  'sections', (
    select jsonb_agg(
      jsonb_build_object('label', s.label, 'answers', answers.listed) order by s.position, s.slug)
    from public.training_onboarding_sections as s join answers on answers.section_id = s.id),
  'nps', (
    select jsonb_build_object('answer', answer, 'comment', comment)
    from public.training_onboarding_nps where response_id = response.id))
from response
