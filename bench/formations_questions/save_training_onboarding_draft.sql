-- Sample: a client types one more answer.
select user_id as caller, draft_saved_at as p_base_saved_at,
  '{"metier_activite": "Photographe de mariage"}'::jsonb as p_answers
from public.training_onboarding_responses order by random() limit 200
-- By hand
with asked as (
  select q.slug from public.training_onboarding_questions as q
  join public.training_onboarding_sections as s on s.id = q.section_id and s.is_active
  where q.is_active
),
mine as (
  update public.training_onboarding_responses set
    draft_answers = jsonb_strip_nulls(draft_answers || coalesce((
      select jsonb_object_agg(key, value) from jsonb_each(%(p_answers)s::jsonb)
      where key in (select slug from asked)), '{}'))
  where user_id = %(caller)s
    and date_trunc('milliseconds', %(p_base_saved_at)s::timestamptz) >= draft_saved_at
  returning *
),
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
)
select jsonb_build_object(
  'draft_answers', progress.asked, 'saved_at', mine.draft_saved_at, 'dropped', (
    select coalesce(jsonb_agg(slug order by slug), '[]')
    from jsonb_object_keys(%(p_answers)s::jsonb) as slug where slug not in (select slug from asked)),
  'progress', progress.told)
from mine, progress
