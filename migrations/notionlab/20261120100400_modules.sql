-- Modules: what a frontend can show on each side, and the rules that say to whom.

create function app.is_grid_box(p_box jsonb) returns boolean
language sql immutable
set search_path = ''
as $$
  select coalesce(
    p_box @? '$ ? (@.x >= 0 && @.w >= 1 && @.y >= 0 && @.y <= 999 && @.h >= 1 && @.h <= 99)'
    and p_box @? '$ ? (@.x + @.w <= 12)'
    and (
      select bool_and(jsonb_typeof(value) = 'number' and value::text ~ '^[0-9]+$') and count(*) = 4
      from jsonb_each(case jsonb_typeof(p_box) when 'object' then p_box else '{}' end)
    ),
    false);
$$;
comment on function app.is_grid_box is
  'Whether it is {x, y, w, h} in whole cells of a grid twelve columns wide.';

create table public.modules_registry (
  component_key text primary key,
  label text not null,
  description text not null default '',
  kind text not null default 'module',
  icon text,
  path text,
  position integer not null default 0,
  is_active boolean not null default true,
  default_layout jsonb,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint modules_registry_key_form check (
    component_key ~ '^(nav:)?[a-z][a-z0-9_]*$' and component_key !~ '^(nav:)?admin_'
  ),
  constraint modules_registry_kind_known check (kind in ('nav', 'module')),
  constraint modules_registry_kind_in_key check ((kind = 'nav') = (component_key like 'nav:%')),
  constraint modules_registry_label_length check (char_length(label) between 1 and 80),
  constraint modules_registry_path_relative check (path ~ '^/[a-z]'),
  constraint modules_registry_default_layout_valid check (
    default_layout is null or kind = 'module' and app.is_grid_box(default_layout)
  )
);
comment on table public.modules_registry is
  'What the client side can show; component_rules say to whom.';
comment on column public.modules_registry.component_key is
  'The name the frontend knows: nav:… for an entry of the menu, else a module of the dashboard.';
comment on column public.modules_registry.is_active is
  'Off hides it from everybody, whatever the rules.';
comment on column public.modules_registry.default_layout is
  'Its box on a dashboard nobody arranged yet; null keeps it off that one.';

create table public.admin_dashboard_tabs (
  tab_key text primary key,
  label text not null,
  icon text,
  position integer not null default 0,
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint admin_dashboard_tabs_key_form check (tab_key ~ '^[a-z][a-z0-9_]*$'),
  constraint admin_dashboard_tabs_label_length check (char_length(label) between 1 and 80)
);
comment on table public.admin_dashboard_tabs is
  'Tabs of the admin dashboard, by position; a tab shows when something in it does.';

create table public.admin_modules_registry (
  component_key text primary key,
  tab_key text references public.admin_dashboard_tabs (tab_key),
  label text not null,
  description text not null default '',
  kind text not null default 'module',
  icon text,
  path text,
  position integer not null default 0,
  is_active boolean not null default true,
  default_layout jsonb,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint admin_modules_registry_key_form check (component_key ~ '^(nav:)?admin_[a-z0-9_]+$'),
  constraint admin_modules_registry_kind_known check (kind in ('nav', 'module')),
  constraint admin_modules_registry_kind_in_key check (
    (kind = 'nav') = (component_key like 'nav:%')
  ),
  constraint admin_modules_registry_label_length check (char_length(label) between 1 and 80),
  constraint admin_modules_registry_path_relative check (path ~ '^/[a-z]'),
  constraint admin_modules_registry_default_layout_valid check (
    default_layout is null or kind = 'module' and app.is_grid_box(default_layout)
  )
);
comment on table public.admin_modules_registry is
  'What the admin side can show; component_rules say to which staff.';
comment on column public.admin_modules_registry.component_key is
  'nav:admin_… for an entry of the menu, else admin_…: no key stands on both sides.';
comment on column public.admin_modules_registry.tab_key is
  'The tab it is in; null outside the tabs.';
comment on column public.admin_modules_registry.is_active is
  'Off hides it from everybody, whatever the rules.';
comment on column public.admin_modules_registry.default_layout is
  'Its box on a dashboard nobody arranged yet; null keeps it off that one.';

create table public.component_rules (
  id uuid primary key default gen_random_uuid(),
  component_key text not null,
  user_type_id text references public.user_types (id),
  user_id uuid references public.profiles (id) on delete cascade,
  effect text not null default 'allow',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint component_rules_effect_known check (effect in ('allow', 'deny')),
  constraint component_rules_for_somebody check (num_nonnulls(user_type_id, user_id) = 1),
  -- One rule for each: an allow and a deny about the same people can't meet.
  constraint component_rules_one_per_type unique (user_type_id, component_key),
  constraint component_rules_one_per_user unique (user_id, component_key)
);
comment on table public.component_rules is
  'Who sees a component. A person''s own rule wins over his type''s; without a rule he does not.';
comment on column public.component_rules.component_key is
  'In either registry; a rule may be there before its component.';

create index admin_modules_registry_tab_key_idx on public.admin_modules_registry (tab_key);

create trigger modules_registry_set_updated_at before update on public.modules_registry
  for each row execute function app.set_updated_at();
create trigger admin_dashboard_tabs_set_updated_at before update on public.admin_dashboard_tabs
  for each row execute function app.set_updated_at();
create trigger admin_modules_registry_set_updated_at before update on public.admin_modules_registry
  for each row execute function app.set_updated_at();
create trigger component_rules_set_updated_at before update on public.component_rules
  for each row execute function app.set_updated_at();

create trigger modules_registry_audit
  after insert or update or delete on public.modules_registry
  for each row execute function app.audit();
create trigger admin_dashboard_tabs_audit
  after insert or update or delete on public.admin_dashboard_tabs
  for each row execute function app.audit();
create trigger admin_modules_registry_audit
  after insert or update or delete on public.admin_modules_registry
  for each row execute function app.audit();
create trigger component_rules_audit
  after insert or update or delete on public.component_rules
  for each row execute function app.audit();

alter table public.modules_registry enable row level security;
create policy modules_registry_select_all on public.modules_registry for select to authenticated
  using ((select app.current_user_id()) is not null);
create policy modules_registry_update_staff on public.modules_registry for update to authenticated
  using ((select public.is_admin_or_owner((select auth.uid()))))
  with check ((select public.is_admin_or_owner((select auth.uid()))));

alter table public.admin_dashboard_tabs enable row level security;
create policy admin_dashboard_tabs_select_staff on public.admin_dashboard_tabs
  for select to authenticated
  using ((select public.is_admin_or_owner((select auth.uid()))));
create policy admin_dashboard_tabs_update_staff on public.admin_dashboard_tabs
  for update to authenticated
  using ((select public.is_admin_or_owner((select auth.uid()))))
  with check ((select public.is_admin_or_owner((select auth.uid()))));

alter table public.admin_modules_registry enable row level security;
create policy admin_modules_registry_select_staff on public.admin_modules_registry
  for select to authenticated
  using ((select public.is_admin_or_owner((select auth.uid()))));
create policy admin_modules_registry_update_staff on public.admin_modules_registry
  for update to authenticated
  using ((select public.is_admin_or_owner((select auth.uid()))))
  with check ((select public.is_admin_or_owner((select auth.uid()))));

alter table public.component_rules enable row level security;
create policy component_rules_select_own_or_staff on public.component_rules
  for select to authenticated
  using (
    user_id = (select app.current_user_id())
    or user_type_id = (select app.current_user_type())
    or (select public.is_admin_or_owner((select auth.uid())))
  );

-- Staff arrange what there is. What it is and what it is called come with the frontend, as seeds.
grant select, update (position, is_active, default_layout) on public.modules_registry
  to authenticated;
grant select, update (position, is_active) on public.admin_dashboard_tabs to authenticated;
grant select, update (tab_key, position, is_active, default_layout)
  on public.admin_modules_registry to authenticated;
-- Staff write through set_component_rule, which knows who may decide for whom.
grant select on public.component_rules to authenticated;
grant select, insert, update, delete on public.modules_registry to service_role;
grant select, insert, update, delete on public.admin_dashboard_tabs to service_role;
grant select, insert, update, delete on public.admin_modules_registry to service_role;
grant select, insert, update, delete on public.component_rules to service_role;
-- Whoever writes a default layout runs its CHECK.
grant execute on function app.is_grid_box to authenticated, service_role;

create view app.components with (security_invoker = true) as
select
  'client' as side, component_key, kind, label, description, icon, path, null::text as tab_key,
  position, default_layout, is_active
from public.modules_registry
union all
select
  'admin', m.component_key, m.kind, m.label, m.description, m.icon, m.path, m.tab_key,
  m.position, m.default_layout, m.is_active and coalesce(t.is_active, true)
from public.admin_modules_registry as m
left join public.admin_dashboard_tabs as t on t.tab_key = m.tab_key;
comment on view app.components is 'Both registries; what stands in a tab that is off is off too.';

create function app.side_of(p_user_type_id text) returns text
language sql immutable
set search_path = ''
as $$
  select case when p_user_type_id in ('owner', 'admin') then 'admin' else 'client' end;
$$;
comment on function app.side_of is 'Which side a type of account works on: admin or client.';

create function app.visible_components() returns setof app.components
language sql stable
security definer -- it reads rules and registries for whoever asks
set search_path = ''
as $$
  with caller as (
    select id, user_type_id from public.profiles where id = app.current_user_id()
  ), rules as (
    select distinct on (rule.component_key) rule.component_key, rule.effect
    from caller
    join public.component_rules as rule
      on rule.user_id = caller.id or rule.user_type_id = caller.user_type_id
    order by rule.component_key, rule.user_id nulls last
  )
  select component.*
  from app.components as component
  join rules on rules.component_key = component.component_key and rules.effect = 'allow'
  join caller on app.side_of(caller.user_type_id) = component.side
  where component.is_active
  order by component.position, component.component_key;
$$;
comment on function app.visible_components is
  'What the caller sees of his side: active, and allowed by the most specific rule about him.';

create function public.set_component_rule(
  p_component_key text,
  p_effect text,
  p_user_type_id text default null,
  p_user_id uuid default null
) returns void
language plpgsql
security definer -- staff may not write component_rules; this is their door
set search_path = ''
as $$
begin
  perform app.require_admin();
  if num_nonnulls(p_user_type_id, p_user_id) <> 1 then
    perform app.refuse('INVALID', 'Choisis un type de compte ou une personne.', 'user_type_id');
  end if;
  if p_user_id is not null then
    perform app.take_person(p_user_id);
  elsif not exists (select from public.user_types where id = p_user_type_id) then
    perform app.refuse('INVALID', 'Ce type de compte n''existe pas.', 'user_type_id');
  end if;
  perform app.require_authority_over(p_user_type_id);
  if p_effect not in ('allow', 'deny') or (p_effect is null and p_user_id is null) then
    perform app.refuse('INVALID', 'Choisis de montrer ou de cacher.', 'effect');
  end if;
  if not exists (select from app.components where component_key = p_component_key) then
    perform app.refuse('NOT_FOUND', 'Ce module n''existe pas.', 'component_key');
  end if;

  if p_effect is null then
    delete from public.component_rules
    where component_key = p_component_key and user_id = p_user_id;
  elsif p_user_id is not null then
    insert into public.component_rules (component_key, user_id, effect)
    values (p_component_key, p_user_id, p_effect)
    on conflict (user_id, component_key) do update set effect = excluded.effect;
  else
    insert into public.component_rules (component_key, user_type_id, effect)
    values (p_component_key, p_user_type_id, p_effect)
    on conflict (user_type_id, component_key) do update set effect = excluded.effect;
  end if;
end;
$$;
comment on function public.set_component_rule is
  'Show (allow) or hide (deny) a component to a type or a person; null gives a person the rule of '
  'his type again. Admins decide for prof and client, owners for all. Refuses with FORBIDDEN, '
  'NOT_FOUND or INVALID (user_type_id, effect).';
grant execute on function public.set_component_rule to authenticated;
