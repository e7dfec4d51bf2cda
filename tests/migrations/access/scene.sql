-- What is there when the access matrix is measured: everybody, and for each of them rows of their
-- own. Ids that are chosen here come first in the order of their table.

create function pg_temp.name_of(p_number integer) returns uuid language sql immutable
as $$ select ('00000000-0000-4000-8000-' || lpad(p_number::text, 12, '0'))::uuid $$;

-- 1 is the client who is asked about, 2 the one whose rows are foreign to everybody, 7 the one whom
-- the prof accompanies.
insert into auth.users (id, instance_id, aud, role, email, email_confirmed_at)
select pg_temp.name_of(n), '00000000-0000-0000-0000-000000000000', 'authenticated',
  'authenticated', n || '@example.test', now()
from generate_series(1, 7) as n;
update public.profiles set
  status = 'active',
  user_type_id = (array['client', 'client', 'prof', 'admin', 'owner', 'client', 'client'])
    [right(id::text, 1)::integer]
where id in (select pg_temp.name_of(n) from generate_series(1, 7) as n);

-- The palette: what is shown, and what is not. Of its files, the second is for the prof alone.
insert into public.builder_families (id, name, is_active)
select pg_temp.name_of(n), 'Famille ' || n, n = 1 from generate_series(1, 2) as n;
insert into public.builder_subfamilies (id, family_id, name, is_active)
select pg_temp.name_of(n), pg_temp.name_of(1), 'Thème ' || n, n = 1
from generate_series(1, 2) as n;
insert into public.builder_modules (id, subfamily_id, title, is_active)
select pg_temp.name_of(n), pg_temp.name_of(1), 'Module ' || n, n < 3
from generate_series(1, 3) as n;
insert into storage.buckets (id, name) values ('resources', 'resources') on conflict do nothing;
insert into storage.objects (bucket_id, name)
select 'resources', pg_temp.name_of(n) || '/fiche.pdf' from generate_series(1, 2) as n;
insert into public.resources (id, builder_module_id, title, storage_path)
select pg_temp.name_of(n), pg_temp.name_of(n), 'Fiche', pg_temp.name_of(n) || '/fiche.pdf'
from generate_series(1, 2) as n;

-- Standard courses whose author is gone: 1 is published, and followed by everybody; 2 is a draft;
-- 3 is published too, and followed by the foreign client alone.
insert into public.courses (id, course_type, status, title, slug)
select pg_temp.name_of(n), 'standard', case n when 2 then 'draft' else 'published' end,
  'Formation ' || n, 'formation-' || n
from generate_series(1, 3) as n;
insert into public.course_modules (id, course_id, builder_module_id, position)
select pg_temp.name_of(n), pg_temp.name_of(n), pg_temp.name_of(1), 0
from generate_series(1, 3) as n;

do $$
declare
  somebody uuid;
  course uuid;
  submission uuid;
begin
  for somebody in select pg_temp.name_of(n) from generate_series(1, 7) as n loop
    perform set_config('request.jwt.claims', json_build_object('sub', somebody)::text, true);
    perform public.enrol_in_course(pg_temp.name_of(1));
    if somebody = pg_temp.name_of(2) then
      perform public.enrol_in_course(pg_temp.name_of(3));
    end if;
    perform public.save_training_onboarding_draft('{}');
    insert into public.training_onboarding_nps (response_id, user_id, answer)
    select id, user_id, true from public.training_onboarding_responses where user_id = somebody;

    -- A course of his own that is followed, and for 7 another one, which the prof accompanies; only
    -- that one has the second module.
    for n in 1 .. case somebody when pg_temp.name_of(7) then 2 else 1 end loop
      course := (public.create_course('Parcours')).id;
      perform public.add_course_module(course, pg_temp.name_of(n));
      submission := (public.submit_user_parcours_for_validation(course)).id;
      perform set_config(
        'request.jwt.claims', json_build_object('sub', pg_temp.name_of(4))::text, true);
      perform public.approve_user_parcours_submission(submission);
      perform set_config('request.jwt.claims', json_build_object('sub', somebody)::text, true);
      update public.user_formations set prof_id = pg_temp.name_of(3)
      where submission_id = submission and n = 2;
    end loop;
  end loop;
  perform set_config('request.jwt.claims', null, true);
end;
$$;

update public.profiles set status = 'suspended' where id = pg_temp.name_of(6);
drop function pg_temp.name_of;
