-- Sample: a client who has submitted it.
select user_id as caller from public.training_onboarding_responses order by random() limit 200
-- By hand
with mine as (select * from public.training_onboarding_responses where user_id = %(caller)s),
progress as (
  select jsonb_build_object(
    'total', count(*), 'answered', count(*) filter (where q.is_answered),
    'required', count(*) filter (where q.is_required),
    'required_answered', count(*) filter (where q.is_required and q.is_answered)) as told,
    coalesce(jsonb_object_agg(q.slug, q.answer) filter (where q.answer is not null), '{}') as asked
  from (
    select q.slug, q.is_required, mine.draft_answers -> q.slug as answer, coalesce(
      mine.draft_answers -> q.slug not in ('null', '[]')
      and (jsonb_typeof(mine.draft_answers -> q.slug) <> 'string'
        or btrim(mine.draft_answers ->> q.slug) <> ''), false) as is_answered
    from public.training_onboarding_questions as q
    join public.training_onboarding_sections as s on s.id = q.section_id and s.is_active
    left join mine on true
    where q.is_active
  ) as q
),
options as (
  select question_id, jsonb_agg(jsonb_build_object('value', value, 'label', label)
    order by position, value) as listed
  from public.training_onboarding_question_options where is_active group by question_id
),
questions as (
  select q.section_id, jsonb_agg(
    jsonb_build_object(
      'slug', q.slug, 'label', q.label, 'help', q.help, 'type', q.question_type,
      'required', q.is_required, 'scale_min', q.scale_min, 'scale_max', q.scale_max,
      'options', coalesce(options.listed, '[]'))
    order by q.position, q.slug) as listed
  from public.training_onboarding_questions as q
  left join options on options.question_id = q.id
  where q.is_active group by q.section_id
)
select jsonb_build_object(
  'sections', coalesce((
    select jsonb_agg(
      jsonb_build_object('slug', s.slug, 'label', s.label, 'help', s.help,
        'questions', questions.listed)
      order by s.position, s.slug)
    from public.training_onboarding_sections as s
    join questions on questions.section_id = s.id
    where s.is_active
  ), '[]'),
  'notice', (select content from public.training_onboarding_texts where slug = 'notice'),
  'status', coalesce(mine.status, 'draft'), 'draft_answers', progress.asked,
  'saved_at', mine.draft_saved_at,
  'base_saved_at', coalesce(mine.draft_saved_at, 'epoch'), 'first_submitted_at', mine.first_submitted_at,
  'last_submitted_at', mine.last_submitted_at, 'progress', progress.told)
from progress left join mine on true
