-- Dashboards: how each person arranged his own, else what his type starts with.

create function app.find_layout_fault(p_layout jsonb) returns text
language sql immutable
set search_path = ''
as $$
  select case
    when p_layout is null or jsonb_typeof(p_layout) <> 'array' then 'layout'
    when jsonb_array_length(p_layout) > 100 then 'layout'
    else (
      select 'layout[' || item.number - 1 || ']'
      from jsonb_array_elements(p_layout) with ordinality as item (content, number)
      where case jsonb_typeof(item.content)
          when 'object' then not app.is_grid_box(item.content - 'component_key')
          else true
        end
        or jsonb_typeof(item.content -> 'component_key') is distinct from 'string'
        or item.number > (
          select min(first.number)
          from jsonb_array_elements(p_layout) with ordinality as first (content, number)
          where first.content -> 'component_key' = item.content -> 'component_key'
        )
      order by item.number
      limit 1
    )
  end;
$$;
comment on function app.find_layout_fault is
  'Where a layout breaks its form, such as layout[2]; null where it does not. A list of at most '
  '100 {component_key, x, y, w, h}, each component once.';

create table public.dashboard_layouts (
  user_id uuid primary key references public.profiles (id) on delete cascade,
  layout jsonb,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint dashboard_layouts_layout_valid check (
    layout is null or app.find_layout_fault(layout) is null
  )
);
comment on table public.dashboard_layouts is 'How a person arranged his dashboard.';
comment on column public.dashboard_layouts.layout is
  'What he sees and where; null since he went back to the default of his type.';
comment on column public.dashboard_layouts.version is
  'Grows with each change, a return to the default included; before the first it counts as 0.';

create trigger dashboard_layouts_set_updated_at before update on public.dashboard_layouts
  for each row execute function app.set_updated_at();

alter table public.dashboard_layouts enable row level security;
create policy dashboard_layouts_select_own on public.dashboard_layouts for select to authenticated
  using (user_id = (select app.current_user_id()));
-- People write through the functions below, which count versions.
grant select on public.dashboard_layouts to authenticated;
grant select, insert, update, delete on public.dashboard_layouts to service_role;
-- Whoever writes a layout runs its CHECK.
grant execute on function app.find_layout_fault to service_role;

create function public.get_dashboard_layout() returns jsonb
language plpgsql stable
security definer -- app.visible_components is not granted
set search_path = ''
as $$
declare
  caller_id constant uuid := app.require_user();
  saved public.dashboard_layouts;
  items jsonb;
begin
  select * into saved from public.dashboard_layouts where user_id = caller_id;

  if saved.layout is null then
    select jsonb_agg(
      default_layout || jsonb_build_object('component_key', component_key)
      order by position, component_key)
    into items
    from app.visible_components()
    where default_layout is not null;
  else
    select jsonb_agg(item.content order by item.number)
    into items
    from jsonb_array_elements(saved.layout) with ordinality as item (content, number)
    join app.visible_components() as component
      on component.component_key = item.content ->> 'component_key' and component.kind = 'module';
  end if;

  return jsonb_build_object(
    'layout', coalesce(items, '[]'),
    'version', coalesce(saved.version, 0),
    'is_default', saved.layout is null);
end;
$$;
comment on function public.get_dashboard_layout is
  'The caller''s dashboard, or the default of his type, less what he may not see: layout, '
  'version, is_default. Refuses with NOT_AUTHENTICATED or FORBIDDEN.';
grant execute on function public.get_dashboard_layout to authenticated;

create function public.update_dashboard_layout(p_layout jsonb, p_expected_version integer)
returns jsonb
language plpgsql
security definer -- people may not write dashboard_layouts; this is their door
set search_path = ''
as $$
declare
  caller_id constant uuid := app.require_user();
  fault constant text := app.find_layout_fault(p_layout);
  unknown jsonb;
begin
  if fault is not null then
    perform app.refuse('INVALID', 'Cette disposition n''est pas valable.', fault);
  end if;
  if p_expected_version is null then
    perform app.refuse('INVALID', 'Dis quelle version tu modifies.', 'expected_version');
  end if;
  select jsonb_agg(item.content -> 'component_key' order by item.number) into unknown
  from jsonb_array_elements(p_layout) with ordinality as item (content, number)
  where not exists (
    select from app.components
    where component_key = item.content ->> 'component_key'
      and kind = 'module'
      and side = app.side_of(app.current_user_type())
  );
  if unknown is not null then
    perform app.refuse('INVALID', 'Un module de cette disposition n''existe pas.',
      jsonb_build_object('field', 'layout', 'unknown', unknown)::text);
  end if;

  insert into public.dashboard_layouts as saved (user_id, layout)
  select caller_id, p_layout
  where p_expected_version = 0
    or exists (select from public.dashboard_layouts where user_id = caller_id)
  on conflict (user_id) do update
    set layout = excluded.layout, version = saved.version + 1
    where saved.version = p_expected_version;
  if not found then
    perform app.refuse_stale_layout(caller_id);
  end if;
  return public.get_dashboard_layout();
end;
$$;
comment on function public.update_dashboard_layout is
  'Save the caller''s dashboard, if p_expected_version is still its version (0 before the first '
  'save), and return it. Refuses with INVALID (layout, expected_version) or CONFLICT.';
grant execute on function public.update_dashboard_layout to authenticated;

create function app.refuse_stale_layout(p_user_id uuid) returns void
language plpgsql
set search_path = ''
as $$
declare
  current_version integer;
begin
  select version into current_version from public.dashboard_layouts where user_id = p_user_id;
  perform app.refuse('CONFLICT', 'Ton tableau de bord a été modifié dans un autre onglet.',
    jsonb_build_object('version', coalesce(current_version, 0))::text, 'Recharge la page.');
end;
$$;
comment on function app.refuse_stale_layout is
  'Refuse with CONFLICT, and say the version there is.';

create function public.reset_dashboard_layout() returns jsonb
language plpgsql
security definer -- people may not write dashboard_layouts; this is their door
set search_path = ''
as $$
declare
  caller_id constant uuid := app.require_user();
begin
  -- The row stays, so that a tab that still shows the old layout cannot save it over this.
  update public.dashboard_layouts set layout = null, version = version + 1
  where user_id = caller_id and layout is not null;
  return public.get_dashboard_layout();
end;
$$;
comment on function public.reset_dashboard_layout is
  'Go back to the default of the caller''s type, and return it. Refuses with NOT_AUTHENTICATED or '
  'FORBIDDEN.';
grant execute on function public.reset_dashboard_layout to authenticated;
