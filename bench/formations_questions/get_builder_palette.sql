-- Sample: any client.
select bench.id('person', staff + n) as caller from bench.volume, generate_series(1, 100) as n
-- By hand
select coalesce(jsonb_agg(
  jsonb_build_object('id', f.id, 'name', f.name, 'description', f.description,
    'subfamilies', s.listed)
  order by f.position, f.name), '[]')
from public.builder_families as f
join (
  select s.family_id, jsonb_agg(
    jsonb_build_object('id', s.id, 'name', s.name, 'description', s.description,
      'modules', m.listed)
    order by s.position, s.name) as listed
  from public.builder_subfamilies as s
  join (
    select subfamily_id, jsonb_agg(
      jsonb_build_object('id', id, 'title', title, 'description', description,
        'duration_minutes', duration_minutes)
      order by position, title) as listed
    from public.builder_modules where is_active and deleted_at is null
    group by subfamily_id
  ) as m on m.subfamily_id = s.id
  where s.is_active and s.deleted_at is null
  group by s.family_id
) as s on s.family_id = f.id
where f.is_active and f.deleted_at is null
