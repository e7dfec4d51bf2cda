-- Palette: families, their themes, and the modules that courses are composed of. Staff keep it.

create table public.builder_families (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  description text not null default '',
  position integer not null default 0,
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  constraint builder_families_name_length check (char_length(btrim(name)) between 1 and 120),
  constraint builder_families_description_length check (char_length(description) <= 2000)
);
comment on table public.builder_families is
  'The palette, first level: broad subjects, by position.';
comment on column public.builder_families.is_active is
  'Off hides it, and all in it, from clients.';

create table public.builder_subfamilies (
  id uuid primary key default gen_random_uuid(),
  family_id uuid not null references public.builder_families (id) on delete cascade,
  name text not null,
  description text not null default '',
  position integer not null default 0,
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  constraint builder_subfamilies_name_length check (char_length(btrim(name)) between 1 and 120),
  constraint builder_subfamilies_description_length check (char_length(description) <= 2000)
);
comment on table public.builder_subfamilies is 'The palette, second level: themes of a family.';
comment on column public.builder_subfamilies.is_active is
  'Off hides it, and all in it, from clients.';

create table public.builder_modules (
  id uuid primary key default gen_random_uuid(),
  subfamily_id uuid not null references public.builder_subfamilies (id) on delete cascade,
  title text not null,
  description text not null default '',
  duration_minutes integer not null default 60,
  position integer not null default 0,
  is_active boolean not null default true,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  constraint builder_modules_title_length check (char_length(btrim(title)) between 1 and 200),
  constraint builder_modules_description_length check (char_length(description) <= 5000),
  constraint builder_modules_duration_sensible check (duration_minutes between 1 and 6000)
);
comment on table public.builder_modules is
  'The palette, third level: what a course is composed of.';
comment on column public.builder_modules.is_active is
  'Off takes it from the palette; courses that hold it keep it.';

create index builder_families_palette_idx on public.builder_families (is_active, position)
  where deleted_at is null;
create index builder_subfamilies_palette_idx on public.builder_subfamilies (is_active, position)
  where deleted_at is null;
create index builder_modules_palette_idx on public.builder_modules (is_active, position)
  where deleted_at is null;
create index builder_subfamilies_family_id_idx on public.builder_subfamilies (family_id, position);
create index builder_modules_subfamily_id_idx on public.builder_modules (subfamily_id, position);

create trigger builder_families_set_updated_at before update on public.builder_families
  for each row execute function app.set_updated_at();
create trigger builder_subfamilies_set_updated_at before update on public.builder_subfamilies
  for each row execute function app.set_updated_at();
create trigger builder_modules_set_updated_at before update on public.builder_modules
  for each row execute function app.set_updated_at();
create trigger builder_families_soft_delete before delete on public.builder_families
  for each row execute function app.soft_delete();
create trigger builder_subfamilies_soft_delete before delete on public.builder_subfamilies
  for each row execute function app.soft_delete();
create trigger builder_modules_soft_delete before delete on public.builder_modules
  for each row execute function app.soft_delete();
create trigger builder_families_audit after insert or update or delete on public.builder_families
  for each row execute function app.audit();
create trigger builder_subfamilies_audit
  after insert or update or delete on public.builder_subfamilies
  for each row execute function app.audit();
create trigger builder_modules_audit after insert or update or delete on public.builder_modules
  for each row execute function app.audit();

-- What must hold, whoever writes ---------------------------------------------------------------

create function app.check_palette_parent() returns trigger
language plpgsql
security definer -- it holds a row of the parent, which writers may not lock
set search_path = ''
as $$
declare
  parent uuid;
begin
  -- Held, so that nobody deletes it while something is put into it.
  execute format(
    'select id from public.%I where id = $1 and deleted_at is null for share', tg_argv[0]
  ) into parent using (to_jsonb(new) ->> tg_argv[1])::uuid;
  if parent is null then
    perform app.refuse('NOT_FOUND', 'Ce dossier de la palette n''existe pas.');
  end if;
  return new;
end;
$$;
comment on function app.check_palette_parent is
  'Nothing is put into what is deleted of the palette; the arguments are the table above and the '
  'column that points there. Refuses with NOT_FOUND.';

create function app.keep_palette_parent() returns trigger
language plpgsql
security definer -- it must see children whatever the writer sees
set search_path = ''
as $$
declare
  is_used boolean;
begin
  execute format(
    'select exists (select from public.%I where %I = $1 and deleted_at is null)',
    tg_argv[0], tg_argv[1]
  ) into is_used using old.id;
  if is_used then
    perform app.refuse('CONFLICT', 'Ce dossier de la palette n''est pas vide.', null,
      'Déplace ou supprime d''abord ce qu''il contient.');
  end if;
  return new;
end;
$$;
comment on function app.keep_palette_parent is
  'What holds something is not deleted; the arguments are the table below and its column that '
  'points here. Refuses with CONFLICT.';

create trigger builder_subfamilies_check_parent
  before insert or update of family_id on public.builder_subfamilies
  for each row execute function app.check_palette_parent('builder_families', 'family_id');
create trigger builder_modules_check_parent
  before insert or update of subfamily_id on public.builder_modules
  for each row execute function app.check_palette_parent('builder_subfamilies', 'subfamily_id');
create trigger builder_families_keep_parent before update of deleted_at on public.builder_families
  for each row when (old.deleted_at is null and new.deleted_at is not null)
  execute function app.keep_palette_parent('builder_subfamilies', 'family_id');
create trigger builder_subfamilies_keep_parent
  before update of deleted_at on public.builder_subfamilies
  for each row when (old.deleted_at is null and new.deleted_at is not null)
  execute function app.keep_palette_parent('builder_modules', 'subfamily_id');

-- Who may see and write ------------------------------------------------------------------------

create function app.shown_family_ids() returns uuid[]
language sql stable
security definer -- it stands under the policies of the table it reads
set search_path = ''
as $$
  select array(select id from public.builder_families where is_active and deleted_at is null)
  where app.current_user_id() is not null;
$$;
comment on function app.shown_family_ids is 'The families of the palette that everybody sees.';
grant execute on function app.shown_family_ids to authenticated, service_role;

create function app.shown_subfamily_ids() returns uuid[]
language sql stable
security definer -- it stands under the policies of the table it reads
set search_path = ''
as $$
  select array(
    select id from public.builder_subfamilies
    where is_active and deleted_at is null
      and family_id = any ((select app.shown_family_ids())::uuid[]));
$$;
comment on function app.shown_subfamily_ids is
  'The subfamilies of the palette that everybody sees: active ones of active families.';
grant execute on function app.shown_subfamily_ids to authenticated, service_role;

alter table public.builder_families enable row level security;
create policy builder_families_select_active_or_staff on public.builder_families
  for select to authenticated
  using (
    deleted_at is null
    and (
      is_active and (select app.current_user_id()) is not null
      or (select public.is_admin_or_owner((select auth.uid())))
    )
  );
create policy builder_families_insert_staff on public.builder_families for insert to authenticated
  with check ((select public.is_admin_or_owner((select auth.uid()))));
create policy builder_families_update_staff on public.builder_families for update to authenticated
  using (deleted_at is null and (select public.is_admin_or_owner((select auth.uid()))))
  with check (deleted_at is null and (select public.is_admin_or_owner((select auth.uid()))));
create policy builder_families_delete_staff on public.builder_families for delete to authenticated
  using (deleted_at is null and (select public.is_admin_or_owner((select auth.uid()))));

alter table public.builder_subfamilies enable row level security;
create policy builder_subfamilies_select_active_or_staff on public.builder_subfamilies
  for select to authenticated
  using (
    deleted_at is null
    and (
      is_active and family_id = any ((select app.shown_family_ids())::uuid[])
      or (select public.is_admin_or_owner((select auth.uid())))
    )
  );
create policy builder_subfamilies_insert_staff on public.builder_subfamilies
  for insert to authenticated
  with check ((select public.is_admin_or_owner((select auth.uid()))));
create policy builder_subfamilies_update_staff on public.builder_subfamilies
  for update to authenticated
  using (deleted_at is null and (select public.is_admin_or_owner((select auth.uid()))))
  with check (deleted_at is null and (select public.is_admin_or_owner((select auth.uid()))));
create policy builder_subfamilies_delete_staff on public.builder_subfamilies
  for delete to authenticated
  using (deleted_at is null and (select public.is_admin_or_owner((select auth.uid()))));

alter table public.builder_modules enable row level security;
create policy builder_modules_select_active_or_staff on public.builder_modules
  for select to authenticated
  using (
    deleted_at is null
    and (
      is_active and subfamily_id = any ((select app.shown_subfamily_ids())::uuid[])
      or (select public.is_admin_or_owner((select auth.uid())))
    )
  );
create policy builder_modules_insert_staff on public.builder_modules for insert to authenticated
  with check ((select public.is_admin_or_owner((select auth.uid()))));
create policy builder_modules_update_staff on public.builder_modules for update to authenticated
  using (deleted_at is null and (select public.is_admin_or_owner((select auth.uid()))))
  with check (deleted_at is null and (select public.is_admin_or_owner((select auth.uid()))));
create policy builder_modules_delete_staff on public.builder_modules for delete to authenticated
  using (deleted_at is null and (select public.is_admin_or_owner((select auth.uid()))));

-- The palette is for staff to write; positions move in reorder_palette too.
grant select, insert (name, description, position, is_active),
  update (name, description, position, is_active), delete
  on public.builder_families to authenticated;
grant select, insert (family_id, name, description, position, is_active),
  update (family_id, name, description, position, is_active), delete
  on public.builder_subfamilies to authenticated;
grant select,
  insert (subfamily_id, title, description, duration_minutes, position, is_active),
  update (subfamily_id, title, description, duration_minutes, position, is_active), delete
  on public.builder_modules to authenticated;
grant select, insert, update, delete on public.builder_families to service_role;
grant select, insert, update, delete on public.builder_subfamilies to service_role;
grant select, insert, update, delete on public.builder_modules to service_role;

-- What may be asked ----------------------------------------------------------------------------

create function public.get_builder_palette() returns jsonb
language plpgsql stable
set search_path = ''
as $$
begin
  perform app.require_user();
  return coalesce((
    select jsonb_agg(
      jsonb_build_object(
        'id', family.id, 'name', family.name, 'description', family.description,
        'subfamilies', subfamilies.listed)
      order by family.position, family.name)
    from public.builder_families as family
    cross join lateral (
      select jsonb_agg(
        jsonb_build_object(
          'id', subfamily.id, 'name', subfamily.name, 'description', subfamily.description,
          'modules', modules.listed)
        order by subfamily.position, subfamily.name) as listed
      from public.builder_subfamilies as subfamily
      cross join lateral (
        select jsonb_agg(
          jsonb_build_object(
            'id', module.id, 'title', module.title, 'description', module.description,
            'duration_minutes', module.duration_minutes)
          order by module.position, module.title) as listed
        from public.builder_modules as module
        where module.subfamily_id = subfamily.id and module.is_active and module.deleted_at is null
      ) as modules
      where subfamily.family_id = family.id and subfamily.is_active
        and subfamily.deleted_at is null and modules.listed is not null
    ) as subfamilies
    where family.is_active and family.deleted_at is null and subfamilies.listed is not null
  ), '[]');
end;
$$;
comment on function public.get_builder_palette is
  'What a course can be composed of: families (id, name, description, subfamilies), each with its '
  'themes (id, name, description, modules), each with its modules (id, title, '
  'description, duration_minutes), all active, by position; what holds nothing is left out. '
  'Refuses with NOT_AUTHENTICATED or FORBIDDEN.';
grant execute on function public.get_builder_palette to authenticated;

-- One statement for each kind, here and below, rather than one that names its table when it runs:
-- PostgreSQL would plan that one anew each time.
create function app.take_palette_siblings(p_kind text, p_id uuid) returns uuid[]
language plpgsql
set search_path = ''
as $$
declare
  siblings uuid[];
begin
  case p_kind
    when 'family' then
      select array_agg(id) into siblings from (
        select id from public.builder_families
        where deleted_at is null
          and exists (select from public.builder_families where id = p_id)
        order by id for update
      ) as held;
    when 'subfamily' then
      select array_agg(id) into siblings from (
        select id from public.builder_subfamilies
        where deleted_at is null
          and family_id = (select family_id from public.builder_subfamilies where id = p_id)
        order by id for update
      ) as held;
    when 'module' then
      select array_agg(id) into siblings from (
        select id from public.builder_modules
        where deleted_at is null
          and subfamily_id = (select subfamily_id from public.builder_modules where id = p_id)
        order by id for update
      ) as held;
  end case;
  return siblings;
end;
$$;
comment on function app.take_palette_siblings is
  'Lock what stands beside something of the palette, and itself; null when it does not exist.';

create function app.set_palette_order(p_kind text, p_ids uuid[]) returns void
language plpgsql
set search_path = ''
as $$
begin
  case p_kind
    when 'family' then
      update public.builder_families as item set position = place.number - 1
      from unnest(p_ids) with ordinality as place (id, number)
      where item.id = place.id and item.position <> place.number - 1;
    when 'subfamily' then
      update public.builder_subfamilies as item set position = place.number - 1
      from unnest(p_ids) with ordinality as place (id, number)
      where item.id = place.id and item.position <> place.number - 1;
    when 'module' then
      update public.builder_modules as item set position = place.number - 1
      from unnest(p_ids) with ordinality as place (id, number)
      where item.id = place.id and item.position <> place.number - 1;
  end case;
end;
$$;
comment on function app.set_palette_order is 'Number these of the palette from 0, in this order.';

create function public.reorder_palette(p_kind text, p_ids uuid[]) returns void
language plpgsql
security definer -- it holds the rows beside, so that two orders never mix
set search_path = ''
as $$
declare
  siblings uuid[];
begin
  perform app.require_admin();
  if p_kind is null or p_kind not in ('family', 'subfamily', 'module') then
    perform app.refuse('INVALID', 'Ce genre d''élément n''existe pas.', 'kind');
  end if;
  if p_ids is null or cardinality(p_ids) = 0
    or cardinality(p_ids) <> (select count(distinct id) from unnest(p_ids) as id)
  then
    perform app.refuse('INVALID', 'Donne chaque élément une fois, dans l''ordre voulu.', 'ids');
  end if;

  siblings := app.take_palette_siblings(p_kind, p_ids[1]);
  if siblings is null then
    perform app.refuse('NOT_FOUND', 'Cet élément de la palette n''existe pas.');
  end if;
  if not (siblings @> p_ids and p_ids @> siblings) then
    perform app.refuse('CONFLICT', 'La palette a changé entre-temps.', null, 'Recharge la page.');
  end if;
  perform app.set_palette_order(p_kind, p_ids);
end;
$$;
comment on function public.reorder_palette is
  'Put the families, the subfamilies of one family or the modules of one subfamily (p_kind: '
  'family, subfamily, module) in the order of p_ids, which names them all. Refuses with '
  'FORBIDDEN, INVALID (kind, ids), NOT_FOUND, or CONFLICT when one came or went meanwhile.';
grant execute on function public.reorder_palette to authenticated;
