select name, is_default, tokens from public.themes where deleted_at is null order by name
