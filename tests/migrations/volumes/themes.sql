insert into public.themes (name, tokens)
select 'Thème ' || n, '{"colors": {"primary": "188 82% 23%"}}' from generate_series(1, 2000) as n;
