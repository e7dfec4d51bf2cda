-- Session context: everything a frontend needs at sign-in, in one call.

create function public.get_session_context() returns jsonb
language plpgsql stable
security definer -- it gathers what the caller could only read through several doors
set search_path = ''
as $$
declare
  caller_id constant uuid := app.require_user();
begin
  return (
    with visible as materialized (
      select * from app.visible_components()
    )
    select jsonb_build_object(
      'profile', to_jsonb(profile),
      'user_type', jsonb_build_object('id', user_type.id, 'label', user_type.label),
      'permissions', app.permissions_of(user_type.id),
      'modules', (
        select coalesce(jsonb_agg(
          to_jsonb(visible) - '{side,is_active}'::text[] order by position, component_key), '[]')
        from visible
      ),
      'tabs', (
        select coalesce(jsonb_agg(
          jsonb_build_object('tab_key', tab_key, 'label', label, 'icon', icon)
          order by position, tab_key), '[]')
        from public.admin_dashboard_tabs
        where tab_key in (select tab_key from visible)
      ),
      'home_path', user_type.home_path,
      'active_theme_id', (select id from public.themes where is_default)
    )
    from public.profiles as profile
    join public.user_types as user_type on user_type.id = profile.user_type_id
    where profile.id = caller_id
  );
end;
$$;
comment on function public.get_session_context is
  'The caller at sign-in: profile, user_type, permissions, modules and tabs he sees, home_path, '
  'active_theme_id. Refuses with NOT_AUTHENTICATED or FORBIDDEN.';
grant execute on function public.get_session_context to authenticated;
