-- Overviews: what a prof accompanies, with the names of those whom he accompanies.

create function public.list_accompanied_formations(
  p_before timestamptz default null,
  p_before_id uuid default null,
  p_limit integer default 50
) returns table (
  formation_id uuid,
  submission_id uuid,
  course_id uuid,
  title text,
  user_id uuid,
  first_name text,
  last_name text,
  modules_total integer,
  modules_done integer,
  modules_in_progress integer,
  modules_blocked integer,
  started_at timestamptz,
  ended_at timestamptz,
  last_activity_at timestamptz
)
language plpgsql stable
security definer -- a prof reads no profiles: the names, and nothing else of them, come from here
set search_path = ''
as $$
declare
  caller_id constant uuid := app.require_user();
  last_id constant uuid := coalesce(p_before_id, '00000000-0000-0000-0000-000000000000');
begin
  if p_limit is null or p_limit not between 1 and 100 then
    perform app.refuse('INVALID', 'Demande entre 1 et 100 formations à la fois.', 'limit');
  end if;

  return query
  with mine as materialized ( -- or the newest of everybody would be looked through for his
    select f.id, f.submission_id, f.course_id, f.user_id, f.started_at, f.ended_at,
      s.last_activity_at
    from public.user_formations as f
    join public.formation_submissions as s on s.id = f.submission_id
    where f.prof_id = caller_id
      and not exists (
        select from public.courses as gone
        where gone.id = f.course_id and gone.deleted_at is not null
      )
  ),
  page as (
    select * from mine
    where p_before is null
      or (mine.last_activity_at, mine.submission_id) < (p_before, last_id)
    order by mine.last_activity_at desc, mine.submission_id desc
    limit p_limit
  )
  select
    page.id, page.submission_id, page.course_id, snapshot.content ->> 'title', page.user_id,
    person.first_name, person.last_name,
    coalesce(nullif(cards.total, 0), jsonb_array_length(snapshot.content -> 'modules'))::integer,
    cards.done::integer, cards.in_progress::integer, cards.blocked::integer,
    page.started_at, page.ended_at, page.last_activity_at
  from page
  join public.user_formation_snapshots as snapshot on snapshot.submission_id = page.submission_id
  join public.profiles as person on person.id = page.user_id
  cross join lateral (
    select
      count(*) as total,
      count(*) filter (where card.status = 'done') as done,
      count(*) filter (where card.status = 'in_progress') as in_progress,
      count(*) filter (where card.status = 'blocked') as blocked
    from public.formation_module_statuses as card
    where card.submission_id = page.submission_id
  ) as cards
  order by page.last_activity_at desc, page.submission_id desc;
end;
$$;
comment on function public.list_accompanied_formations is
  'The formations that the caller accompanies as prof, also those that ended, newest activity '
  'first: titles as they were frozen, the names of those who follow them, how far they are. The '
  'next page starts from the last row: p_before is its last_activity_at, p_before_id its '
  'submission_id. Refuses with INVALID (limit).';
grant execute on function public.list_accompanied_formations to authenticated;
