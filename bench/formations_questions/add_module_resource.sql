-- Sample: an admin attaches a link to a module.
select bench.id('person', 2) as caller, bench.id('palette', n) as p_builder_module_id,
  'Un lien' as p_title, 'https://example.test/un-lien' as p_url
from generate_series(1, 200) as n
-- By hand
select id from public.builder_modules
where id = %(p_builder_module_id)s and deleted_at is null for no key update;
insert into public.resources (builder_module_id, kind, title, url, position)
select %(p_builder_module_id)s, 'link', %(p_title)s, %(p_url)s, coalesce(max(position) + 1, 0)
from public.resources where builder_module_id = %(p_builder_module_id)s and deleted_at is null
returning *
