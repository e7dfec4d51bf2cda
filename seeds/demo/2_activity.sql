-- What the demonstration's people did: they call the functions that the frontend calls, each once.

-- Standard courses that clients follow, with what they have finished.
do $$
declare
  course constant uuid[] := array(
    select id from public.courses
    where id::text like 'de300005-%' and course_type = 'standard' and status = 'published'
    order by id
  );
  client record;
  module record;
begin
  for client in
    select id, row_number() over (order by id) as number
    from public.profiles
    where id::text like 'de300001-%' and user_type_id = 'client'
  loop
    continue when client.number % 3 = 0
      or exists (select from public.user_courses where user_id = client.id);
    perform set_config('request.jwt.claims', json_build_object('sub', client.id)::text, true);
    perform public.enrol_in_course(course[1 + client.number % 4]);

    for module in
      select m.id, m.position from public.course_modules as m
      where m.course_id = course[1 + client.number % 4] and m.position < client.number % 6
    loop
      perform public.set_enrolment_module_done(course[1 + client.number % 4], module.id);
    end loop;
    update public.user_courses set
      enrolled_at = now() - interval '40 days' + client.number * interval '1 day',
      last_activity_at = now() - client.number * interval '7 hours'
    where user_id = client.id;
  end loop;
  perform set_config('request.jwt.claims', '', true);
end;
$$;

-- Custom courses on their way: some wait, some were sent back or taken back, most are under way.
do $$
declare
  admin_id constant uuid := 'de300001-0000-4000-8000-000000000002';
  prof_id constant uuid := 'de300001-0000-4000-8000-000000000004';
  comments constant text[] := array[
    'Le parcours est un peu court : ajoute un module sur le suivi de tes clients.',
    'Bonne idée ! Commence par le tableau de bord, puis soumets à nouveau.'
  ];
  columns constant text[] := array['done', 'done', 'in_progress', 'blocked', 'in_progress'];
  course record;
  card record;
  submission public.formation_submissions;
  formation public.user_formations;
begin
  for course in
    select id, author_id, row_number() over (order by id) as number
    from public.courses
    where id::text like 'de300005-%' and course_type = 'custom'
      and title <> 'Idées pour plus tard'
  loop
    continue when course.number % 5 = 0
      or exists (select from public.formation_submissions where course_id = course.id);
    perform set_config(
      'request.jwt.claims', json_build_object('sub', course.author_id)::text, true);
    submission := public.submit_user_parcours_for_validation(course.id);
    if course.number % 10 = 1 then
      perform public.withdraw_user_parcours_submission(submission.id);
    end if;

    perform set_config('request.jwt.claims', json_build_object('sub', admin_id)::text, true);
    if course.number % 10 = 2 then
      perform public.reject_user_parcours_submission(
        submission.id, comments[1 + course.number / 10]);
    elsif course.number % 10 in (3, 4, 6, 8) then
      formation := public.approve_user_parcours_submission(submission.id);
      if course.number % 2 = 0 then
        perform public.assign_formation_prof(formation.id, prof_id);
      end if;
      perform set_config(
        'request.jwt.claims', json_build_object('sub', course.author_id)::text, true);
      for card in
        select id, row_number() over (order by position) as number
        from public.formation_module_statuses where submission_id = submission.id
      loop
        exit when card.number > course.number % 6;
        perform public.move_kanban_module(card.id, columns[card.number], 0);
      end loop;
    end if;

    update public.formation_submissions set
      submitted_at = now() - course.number * interval '30 hours' - interval '6 days',
      reviewed_at = reviewed_at - course.number * interval '30 hours' - interval '4 days',
      last_activity_at = now() - course.number * interval '9 hours'
    where id = submission.id;
    update public.user_formations
    set started_at = now() - course.number * interval '30 hours' - interval '4 days'
    where submission_id = submission.id;
  end loop;
  perform set_config('request.jwt.claims', '', true);
end;
$$;

-- Training requests: most clients have answered, some are still writing.
do $$
declare
  goals constant text[] := array[
    'gagner_temps', 'trouver_clients', 'structurer', 'monter_competences'
  ];
  projects constant text[] := array[
    'Refaire mon suivi de clients pour ne plus rien oublier.',
    'Préparer le lancement de ma nouvelle offre au printemps.',
    'Mettre à plat mon organisation et gagner une demi-journée par semaine.',
    'Construire un tableau de bord simple que je comprends.'
  ];
  client record;
  answers jsonb;
begin
  for client in
    select id, profession, row_number() over (order by id) as number
    from public.profiles
    where id::text like 'de300001-%' and user_type_id = 'client'
  loop
    continue when client.number % 6 = 0
      or exists (select from public.training_onboarding_responses where user_id = client.id);
    perform set_config('request.jwt.claims', json_build_object('sub', client.id)::text, true);
    answers := jsonb_build_object(
      'metier_activite', client.profession,
      'statut_professionnel',
      case when client.number % 4 = 0 then 'salarie' else 'independant' end,
      'taille_structure', case when client.number % 3 = 0 then '2_10' else 'seul' end,
      'objectif_principal', goals[1 + client.number % 4],
      'objectifs_secondaires', jsonb_build_array('communication', 'gestion'),
      'projet_concret', projects[1 + client.number % 4],
      'niveau_general', 1 + client.number % 5,
      'niveau_sujet', 1 + client.number % 3,
      'formations_suivies', client.number % 2 = 0,
      'heures_semaine', case when client.number % 2 = 0 then '1_2' else '3_4' end,
      'jours_preferes', jsonb_build_array('mardi', 'jeudi'),
      'modalite', case when client.number % 3 = 0 then 'mixte' else 'distance' end,
      'accompagnement', 'individuel',
      'equipement',
      jsonb_build_array(case when client.number % 2 = 0 then 'mac' else 'windows' end),
      'financement', case when client.number % 2 = 0 then 'personnel' else 'cpf' end,
      'points_importants', jsonb_build_array('pratique', 'suivi'),
      'motivation', 5 + client.number % 6);
    if client.number % 5 = 0 then
      perform public.save_training_onboarding_draft(answers - 'financement' - 'points_importants');
    else
      perform public.submit_training_onboarding(
        answers, jsonb_build_object('answer', client.number % 7 <> 0));
    end if;
  end loop;
  perform set_config('request.jwt.claims', '', true);

  -- Nobody waits for letters about people who do not exist.
  delete from procrastinate.procrastinate_jobs
  where task_name = 'notify-training-onboarding' and status = 'todo'
    and args ->> 'user_id' like 'de300001-%';
end;
$$;
