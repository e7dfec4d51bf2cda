-- Training onboarding: answers are examined, all at once, and submitted when nothing is wrong.

-- What an answer may be ------------------------------------------------------------------------

create function app.is_iso_date(p_text text) returns boolean
language plpgsql immutable
set search_path = ''
as $$
declare
  part constant text[] := regexp_match(p_text, '^(\d{4})-(\d{2})-(\d{2})$');
begin
  return part is not null and make_date(part[1]::integer, part[2]::integer, part[3]::integer)
    is not null;
exception
  when datetime_field_overflow then
    return false;
end;
$$;
comment on function app.is_iso_date is 'Whether it is a day of the calendar, as 2026-11-20.';

create function app.find_form_faults(p_given jsonb) returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select jsonb_agg(
      jsonb_build_object(
        'slug', examined.slug,
        'problem', examined.fault,
        'message', case examined.fault
          when 'required' then 'Cette réponse est obligatoire.'
          when 'date' then 'Donne une date de la forme AAAA-MM-JJ.'
          when 'range' then
            format('Choisis entre %s et %s.', examined.scale_min, examined.scale_max)
          when 'option' then 'Ce choix n''est pas proposé.'
          when 'length' then 'Cette réponse est trop longue.'
          else 'Cette réponse n''a pas la bonne forme.'
        end)
      order by
        examined.section_position, examined.section_slug, examined.position, examined.slug)
    from (
      select asked.*, case
        when given.kind is null then case when asked.is_required then 'required' end
        when asked.question_type = 'yes_no' then case when given.kind <> 'boolean' then 'type' end
        when asked.question_type = 'date' then case
          when given.kind <> 'string' or not app.is_iso_date(given.words) then 'date'
        end
        when asked.question_type = 'scale' then case
          when given.kind <> 'number' or given.words !~ '^-?[0-9]{1,9}$' then 'type'
          when given.words::integer not between asked.scale_min and asked.scale_max then 'range'
        end
        when asked.question_type = 'single_choice' and given.kind <> 'string' then 'type'
        when asked.question_type = 'multiple_choice' and given.kind <> 'array' then 'type'
        when asked.question_type in ('single_choice', 'multiple_choice') then case
          -- Each once, and nothing else.
          when (
            select count(*) from public.training_onboarding_question_options as option
            where option.question_id = asked.id and option.is_active
              and given.answer ? option.value
          ) <> case given.kind when 'array' then jsonb_array_length(given.answer) else 1 end
            then 'option'
        end
        when given.kind <> 'string' then 'type'
        when char_length(given.words)
          > case asked.question_type when 'text' then 500 else 5000 end then 'length'
      end as fault
      from app.training_onboarding_asked as asked
      cross join lateral (
        select p_given -> asked.slug, jsonb_typeof(p_given -> asked.slug), p_given ->> asked.slug
      ) as given (answer, kind, words)
    ) as examined
    where examined.fault is not null);
end;
$$;
comment on function app.find_form_faults is
  'All that is wrong with the answers given, by slug: slug, problem (required, type, date, range, '
  'option or length), message; null when nothing is.';

-- What may be asked ----------------------------------------------------------------------------

create function app.refuse_faulty_form(p_given jsonb, p_nps jsonb) returns void
language plpgsql stable
set search_path = ''
as $$
declare
  faults constant jsonb := coalesce(app.find_form_faults(p_given), '[]') || case
    when p_nps is null or p_nps = 'null' then '[]'
    when jsonb_typeof(p_nps) <> 'object'
      or coalesce(jsonb_typeof(p_nps -> 'answer'), 'null') not in ('boolean', 'null')
      or coalesce(jsonb_typeof(p_nps -> 'comment'), 'null') not in ('string', 'null')
      or char_length(p_nps ->> 'comment') > 2000
      then jsonb_build_array(jsonb_build_object(
        'slug', 'nps', 'problem', 'type',
        'message', 'Réponds par oui ou par non, avec 2000 caractères au plus.'))
    else '[]'
  end;
begin
  if faults <> '[]' then
    perform app.refuse('INVALID', 'Certaines réponses sont à revoir.',
      jsonb_build_object('field', 'answers', 'problems', faults)::text);
  end if;
end;
$$;
comment on function app.refuse_faulty_form is
  'Refuse with INVALID, listing every problem by slug, what may not be submitted.';

create function public.submit_training_onboarding(p_answers jsonb, p_nps jsonb default null)
returns jsonb
language plpgsql
security definer -- people may not write what is submitted; this is their door
set search_path = ''
as $$
declare
  caller_id constant uuid := app.require_user();
  dropped text[];
  answers jsonb;
  given jsonb;
  submitted_at timestamptz;
  is_news boolean;
  mine public.training_onboarding_responses;
begin
  perform app.refuse_odd_answers(p_answers);
  dropped := app.unasked_slugs(p_answers, app.asked_slugs());
  answers := jsonb_strip_nulls(p_answers - dropped);
  given := app.given_answers(answers);
  perform app.refuse_faulty_form(given, p_nps);

  perform app.begin_response(caller_id);
  select * into mine from public.training_onboarding_responses
  where user_id = caller_id
  for update;
  is_news := app.store_nps(mine, p_nps) or answers is distinct from mine.submitted_answers;
  submitted_at := clock_timestamp();
  update public.training_onboarding_responses set
    draft_answers = answers,
    submitted_answers = answers,
    status = 'submitted',
    first_submitted_at = coalesce(first_submitted_at, submitted_at),
    last_submitted_at = submitted_at
  where user_id = caller_id
  returning * into mine;
  update public.profiles set profession = left(btrim(given ->> 'metier_activite'), 200)
  where id = caller_id and given ? 'metier_activite';
  -- A double click says nothing new.
  if is_news then
    perform app.enqueue(
      'notify-training-onboarding',
      jsonb_build_object(
        'response_id', mine.id, 'user_id', caller_id, 'submitted_at', mine.last_submitted_at,
        'is_first', mine.first_submitted_at = mine.last_submitted_at),
      p_queue => 'mail');
  end if;

  return jsonb_build_object(
    'status', mine.status,
    'saved_at', mine.draft_saved_at,
    'first_submitted_at', mine.first_submitted_at,
    'last_submitted_at', mine.last_submitted_at,
    'dropped', dropped);
end;
$$;
comment on function public.submit_training_onboarding is
  'Submit the form, again as often as wanted: keeps the answers and the NPS (answer, comment), '
  'carries metier_activite to the profile and queues one notification, or does none of it; what '
  'says the same as before, as a double click does, is dated and notifies nobody. An '
  'answer is a text, true or false, a whole number (scale), a day as 2026-11-20, the value of an '
  'option, or a list of such values. Returns status, saved_at, first_submitted_at, '
  'last_submitted_at and what was dropped. Refuses with INVALID: details have problems, a list of '
  'slug, problem (required, type, date, range, option, length) and message.';
grant execute on function public.submit_training_onboarding to authenticated;

create function app.store_nps(p_response public.training_onboarding_responses, p_nps jsonb)
returns boolean
language plpgsql
set search_path = ''
as $$
begin
  insert into public.training_onboarding_nps as kept (response_id, user_id, answer, comment)
  select
    p_response.id, p_response.user_id, (p_nps ->> 'answer')::boolean,
    nullif(btrim(p_nps ->> 'comment'), '')
  where jsonb_typeof(p_nps) = 'object'
  on conflict (response_id) do update
    set answer = excluded.answer, comment = excluded.comment
    where (kept.answer, kept.comment) is distinct from (excluded.answer, excluded.comment);
  return found;
end;
$$;
comment on function app.store_nps is
  'Keep the NPS of a response, and tell whether it is another one; null leaves what there is.';
