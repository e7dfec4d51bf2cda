insert into public.training_onboarding_responses (user_id)
select id from public.profiles where user_type_id = 'client';
insert into public.training_onboarding_nps (response_id, user_id, answer)
select id, user_id, true from public.training_onboarding_responses;
