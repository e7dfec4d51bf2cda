-- Sample: an admin hides a question.
select bench.id('person', 2) as caller, 'question' as p_kind, id as p_id, false as p_active
from public.training_onboarding_questions
-- By hand
update public.training_onboarding_questions set is_active = %(p_active)s where id = %(p_id)s
