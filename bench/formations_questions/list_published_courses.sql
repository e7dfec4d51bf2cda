-- Sample: a client reads a page of 50 from somewhere in the catalogue.
select bench.id('person', staff + 1) as caller, title as p_after_title, id as p_after_id
from public.courses, bench.volume
where course_type = 'standard' and status = 'published' order by random() limit 200
-- By hand
select page.*, sums.*
from (
  select id, title, slug, description, version from public.courses
  where course_type = 'standard' and status = 'published' and deleted_at is null
    and (title, id) > (%(p_after_title)s, %(p_after_id)s)
  order by title, id limit 50
) as page
cross join lateral (
  select count(*), coalesce(sum(coalesce(m.duration_minutes, p.duration_minutes)), 0)
  from public.course_modules as m join public.builder_modules as p on p.id = m.builder_module_id
  where m.course_id = page.id
) as sums
order by page.title, page.id
