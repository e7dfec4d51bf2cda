insert into public.resources (builder_module_id, kind, title, url)
select md5('palette ' || n)::uuid, 'link', 'Guide', 'https://example.test/' || n
from generate_series(1, 400) as n;
