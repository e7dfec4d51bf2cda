-- Themes: the design tokens every page starts from; one of them is active.

create function app.is_hsl_triplet(p_value jsonb) returns boolean
language sql immutable
set search_path = ''
as $$
  select jsonb_typeof(p_value) = 'string'
    and p_value #>> '{}' ~ (
      '^(360(\.0+)?|(3[0-5][0-9]|[12]?[0-9]?[0-9])(\.[0-9]{1,3})?)'
      '( (100(\.0+)?|[0-9]{1,2}(\.[0-9]{1,3})?)%){2}$');
$$;
comment on function app.is_hsl_triplet is
  'Whether it reads as hsl(var(…)) needs: 0 to 360, then two percentages, between single spaces.';

create function app.closes_what_it_opens(p_text text) returns boolean
language plpgsql immutable
set search_path = ''
as $$
declare
  rest text := regexp_replace(p_text, '"[^"]*"|''[^'']*''', '', 'g');
begin
  while rest ~ '\([^()]*\)' loop
    rest := regexp_replace(rest, '\([^()]*\)', '', 'g');
  end loop;
  return rest !~ '[()"'']';
end;
$$;
comment on function app.closes_what_it_opens is
  'Whether quotes and parentheses come in pairs: one left open swallows the rules that follow.';

create function app.is_css_scalar(p_value jsonb) returns boolean
language sql immutable
set search_path = ''
as $$
  -- It ends up inside a rule of a style sheet, and must not be able to leave it or to call out.
  select case jsonb_typeof(p_value)
    when 'number' then true
    when 'boolean' then true
    when 'string' then
      char_length(p_value #>> '{}') between 1 and 300
      and p_value #>> '{}' !~ '[][;{}<>\\\u0001-\u001f\u007f-\u009f]|/\*|@import'
      and p_value #>> '{}' !~* '(url|src|image|image-set|expression)\s*\('
      and app.closes_what_it_opens(p_value #>> '{}')
    else false
  end;
$$;
comment on function app.is_css_scalar is
  'Whether it can stand as the value of one CSS variable: a number, a boolean or a short text.';

create function app.find_theme_fault(p_tokens jsonb) returns text
language sql immutable
set search_path = ''
as $$
  select case
    when p_tokens is null or jsonb_typeof(p_tokens) <> 'object' then 'tokens'
    when octet_length(p_tokens::text) > 65536 then 'tokens'
    when coalesce(jsonb_typeof(p_tokens -> 'colors'), '') <> 'object' then 'tokens.colors'
    when p_tokens -> 'colors' = '{}' then 'tokens.colors'
    else (
      select min(fault collate "C")
      from (
        select 'tokens.' || name
        from jsonb_each(p_tokens) as section (name, content)
        where name !~ '^[a-z0-9]+(-[a-z0-9]+)*$' or jsonb_typeof(content) <> 'object'
        union all
        select 'tokens.' || section.name || '.' || token.name
        from jsonb_each(p_tokens) as section (name, content)
        cross join jsonb_each(
          case jsonb_typeof(section.content) when 'object' then section.content else '{}' end
        ) as token (name, content)
        where token.name !~ '^[a-z0-9]+(-[a-z0-9]+)*$'
          or not case
            when section.name = 'colors' then app.is_hsl_triplet(token.content)
            else app.is_css_scalar(token.content)
          end
      ) as faults (fault)
    )
  end;
$$;
comment on function app.find_theme_fault is
  'Where theme tokens break their grammar, such as tokens.colors.primary; null where they do not. '
  'Groups of kebab-case names: colors holds H S% L% triplets, others hold scalars; 64 KiB in all.';

create table public.themes (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  tokens jsonb not null,
  is_default boolean not null default false,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  constraint themes_name_length check (char_length(btrim(name)) between 1 and 80),
  constraint themes_tokens_valid check (app.find_theme_fault(tokens) is null),
  constraint themes_default_is_kept check (not is_default or deleted_at is null)
);
comment on table public.themes is 'Sets of design tokens; the default one is active.';
comment on column public.themes.tokens is 'Groups of tokens, see app.find_theme_fault.';
comment on column public.themes.version is 'Grows with each change of the tokens.';

-- This index, not set_active_theme, is what stops two themes being active.
create unique index themes_one_default on public.themes (is_default) where is_default;
create unique index themes_name_idx on public.themes (name) where deleted_at is null;

create function app.check_theme_tokens() returns trigger
language plpgsql
set search_path = ''
as $$
declare
  fault constant text := app.find_theme_fault(new.tokens);
begin
  if fault is not null then
    perform app.refuse('INVALID', 'Une valeur du thème n''est pas valable.', fault,
      'Les couleurs s''écrivent « H S% L% », les noms en minuscules avec des tirets.');
  end if;
  if tg_op = 'UPDATE' and new.tokens <> old.tokens then
    new.version := old.version + 1;
  end if;
  return new;
end;
$$;
comment on function app.check_theme_tokens is
  'Say kindly what the CHECK would refuse, and count the versions of the tokens.';

create function app.keep_active_theme() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  perform app.refuse(
    'CONFLICT', 'Ce thème est actif.', null, 'Active un autre thème avant de le supprimer.');
  return null;
end;
$$;
comment on function app.keep_active_theme is 'Refuse to delete what every page is wearing.';

create trigger themes_check_tokens before insert or update on public.themes
  for each row execute function app.check_theme_tokens();
create trigger themes_keep_active before delete on public.themes
  for each row when (old.is_default) execute function app.keep_active_theme();
create trigger themes_set_updated_at before update on public.themes
  for each row execute function app.set_updated_at();
create trigger themes_soft_delete before delete on public.themes
  for each row execute function app.soft_delete();
create trigger themes_audit after insert or update or delete on public.themes
  for each row execute function app.audit();

alter table public.themes enable row level security;
create policy themes_select_staff on public.themes for select to authenticated
  using (deleted_at is null and (select public.is_admin_or_owner((select auth.uid()))));
create policy themes_insert_staff on public.themes for insert to authenticated
  with check ((select public.is_admin_or_owner((select auth.uid()))));
create policy themes_update_staff on public.themes for update to authenticated
  using (deleted_at is null and (select public.is_admin_or_owner((select auth.uid()))))
  with check (deleted_at is null and (select public.is_admin_or_owner((select auth.uid()))));
create policy themes_delete_staff on public.themes for delete to authenticated
  using (deleted_at is null and (select public.is_admin_or_owner((select auth.uid()))));

-- is_default moves in set_active_theme only, so that some theme is always active.
grant select, insert (name, tokens), update (name, tokens), delete on public.themes
  to authenticated;
grant select, insert, update, delete on public.themes to service_role;
-- Whoever writes a theme runs its CHECK.
grant execute on function app.find_theme_fault to authenticated, service_role;
grant execute on function app.is_hsl_triplet to authenticated, service_role;
grant execute on function app.is_css_scalar to authenticated, service_role;
grant execute on function app.closes_what_it_opens to authenticated, service_role;

create function public.get_active_theme_tokens() returns jsonb
language sql stable
security definer -- visitors may not read themes; this is their door
set search_path = ''
as $$
  select tokens from public.themes where is_default;
$$;
comment on function public.get_active_theme_tokens is
  'Tokens of the active theme, for every page of everybody; null before there is one.';
grant execute on function public.get_active_theme_tokens to anon, authenticated, service_role;

create function app.activate_theme(p_theme_id uuid) returns void
language plpgsql
security definer -- it holds the table, which no role may lock
set search_path = ''
as $$
begin
  -- The first to come decides who is active when the second looks; readers don't wait.
  lock table public.themes in share row exclusive mode;
  if not exists (select from public.themes where id = p_theme_id and deleted_at is null) then
    perform app.refuse('NOT_FOUND', 'Ce thème n''existe pas.');
  end if;

  update public.themes set is_default = false where is_default and id <> p_theme_id;
  update public.themes set is_default = true where id = p_theme_id and not is_default;
end;
$$;
comment on function app.activate_theme is
  'Make one theme the active one, for operators. Refuses with NOT_FOUND and changes nothing.';
grant execute on function app.activate_theme to service_role;

create function public.set_active_theme(p_theme_id uuid) returns void
language plpgsql
security definer -- app.activate_theme is not granted to people
set search_path = ''
as $$
begin
  perform app.require_admin();
  perform app.activate_theme(p_theme_id);
end;
$$;
comment on function public.set_active_theme is
  'Make one theme the active one, for staff. Refuses with FORBIDDEN or NOT_FOUND.';
grant execute on function public.set_active_theme to authenticated;

create function app.broadcast_theme() returns trigger
language plpgsql
security definer -- nobody may write to realtime.messages
set search_path = ''
as $$
begin
  perform realtime.send(
    jsonb_build_object('theme_id', new.id, 'version', new.version),
    'theme_changed', 'theme', true);
  return null;
end;
$$;
comment on function app.broadcast_theme is
  'Tell every open page that other tokens are active; it fetches them if it has not these.';

create trigger themes_broadcast_added after insert on public.themes
  for each row when (new.is_default) execute function app.broadcast_theme();
create trigger themes_broadcast_changed after update on public.themes
  for each row
  when (new.is_default and (not old.is_default or new.version <> old.version))
  execute function app.broadcast_theme();

-- Visitors too, and even the suspended: the sign-in page wears the theme.
create policy theme_receive_all on realtime.messages for select to anon, authenticated
  using (extension = 'broadcast' and (select realtime.topic()) = 'theme');
