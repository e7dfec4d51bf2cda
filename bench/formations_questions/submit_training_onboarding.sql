-- Sample: a client submits the form again.
select user_id as caller, submitted_answers as p_answers,
  '{"answer": true, "comment": "Très clair, merci."}'::jsonb as p_nps, id as response_id
from public.training_onboarding_responses order by random() limit 200
-- By hand
with asked as (
  select q.*, %(p_answers)s::jsonb -> q.slug as answer, coalesce(
    %(p_answers)s::jsonb -> q.slug not in ('null', '[]')
    and (jsonb_typeof(%(p_answers)s::jsonb -> q.slug) <> 'string'
      or btrim(%(p_answers)s::jsonb ->> q.slug) <> ''), false) as is_answered
  from public.training_onboarding_questions as q
  join public.training_onboarding_sections as s on s.id = q.section_id and s.is_active
  where q.is_active
),
offered as (
  select question_id, jsonb_agg(value) as options
  from public.training_onboarding_question_options where is_active group by question_id
)
select asked.slug from asked left join offered on offered.question_id = asked.id
where case when not is_answered then is_required
  else not case question_type
    when 'yes_no' then jsonb_typeof(answer) = 'boolean'
    when 'date' then pg_input_is_valid(answer #>> '{}', 'date')
    when 'scale' then jsonb_typeof(answer) = 'number'
      and (answer #>> '{}')::numeric between scale_min and scale_max
    when 'single_choice' then jsonb_typeof(answer) = 'string' and options @> answer
    when 'multiple_choice' then jsonb_typeof(answer) = 'array' and options @> answer
    else jsonb_typeof(answer) = 'string'
      and char_length(answer #>> '{}') <= case question_type when 'text' then 500 else 5000 end
  end
end;
insert into public.training_onboarding_nps (response_id, user_id, answer, comment)
values (%(response_id)s, %(caller)s, true, 'Très clair, merci.')
on conflict (response_id) do update
  set answer = excluded.answer, comment = excluded.comment;
update public.profiles set profession = left(btrim(%(p_answers)s::jsonb ->> 'metier_activite'), 200)
where id = %(caller)s;
with mine as (
  update public.training_onboarding_responses set draft_answers = %(p_answers)s,
    submitted_answers = %(p_answers)s, status = 'submitted',
    last_submitted_at = clock_timestamp()
  where user_id = %(caller)s
  returning *
),
queued as materialized (
  select procrastinate.procrastinate_defer_jobs_v1(array[
    row('mail', 'notify-training-onboarding', 0, null, null, jsonb_build_object(
      'response_id', mine.id, 'user_id', mine.user_id, 'is_first', false,
      'submitted_at', mine.last_submitted_at), null)
      ::procrastinate.procrastinate_job_to_defer_v1])
  from mine
)
select jsonb_build_object(
  'status', mine.status, 'saved_at', mine.draft_saved_at,
  'first_submitted_at', mine.first_submitted_at, 'last_submitted_at', mine.last_submitted_at,
  'dropped', array(
    select said.slug from jsonb_object_keys(%(p_answers)s::jsonb) as said (slug)
    where not exists (
      select from public.training_onboarding_questions as q
      join public.training_onboarding_sections as s on s.id = q.section_id and s.is_active
      where q.slug = said.slug and q.is_active)))
from mine, queued
