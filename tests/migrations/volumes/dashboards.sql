insert into public.dashboard_layouts (user_id, layout) select id, '[]' from public.profiles;
