insert into public.builder_families (id, name, position)
select md5('family ' || n)::uuid, 'Famille ' || n, n from generate_series(1, 8) as n;
insert into public.builder_subfamilies (id, family_id, name, position)
select md5('subfamily ' || n)::uuid, md5('family ' || 1 + n % 8)::uuid, 'Thème ' || n, n
from generate_series(1, 40) as n;
insert into public.builder_modules (id, subfamily_id, title, position)
select md5('palette ' || n)::uuid, md5('subfamily ' || 1 + n % 40)::uuid, 'Module ' || n, n
from generate_series(1, 400) as n;
