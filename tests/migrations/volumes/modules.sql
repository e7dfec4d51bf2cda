insert into public.component_rules (component_key, user_id)
select 'client_kanban', id from public.profiles;
