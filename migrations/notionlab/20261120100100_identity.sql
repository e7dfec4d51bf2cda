-- Identity: who somebody is, what his type of account lets him do, who may change that.

create table public.user_types (
  id text primary key,
  label text not null,
  home_path text not null default '/client/dashboard',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint user_types_id_known check (id in ('owner', 'admin', 'prof', 'client')),
  constraint user_types_label_length check (char_length(label) between 1 and 80),
  constraint user_types_home_path_relative check (home_path ~ '^/[a-z]')
);
comment on table public.user_types is
  'Types of account, from owner (everything) to client. The retired guest is not one.';
comment on column public.user_types.home_path is 'Where the frontend lands after sign-in.';

-- Profiles cannot begin without these; the labels people read are seeds.
insert into public.user_types (id, label, home_path) values
  ('owner', 'owner', '/admin/dashboard'),
  ('admin', 'admin', '/admin/dashboard'),
  ('prof', 'prof', default),
  ('client', 'client', default);

create table public.profiles (
  id uuid primary key references auth.users (id) on delete cascade,
  email text,
  first_name text,
  last_name text,
  avatar_path text,
  user_type_id text not null default 'client' references public.user_types (id),
  status text not null default 'active',
  profession text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint profiles_status_known check (status in ('invited', 'active', 'suspended')),
  constraint profiles_first_name_length check (char_length(first_name) <= 100),
  constraint profiles_last_name_length check (char_length(last_name) <= 100),
  constraint profiles_profession_length check (char_length(profession) <= 200),
  constraint profiles_avatar_path_relative check (
    char_length(avatar_path) <= 300 and avatar_path !~ '^/|\.\.|://'
  )
);
comment on table public.profiles is
  'The person behind an account; one row for each in auth.users.';
comment on column public.profiles.email is
  'Copy of auth.users.email; null for an account without.';
comment on column public.profiles.avatar_path is 'Path inside the avatars bucket, never a URL.';
comment on column public.profiles.status is
  'invited until the address is confirmed; a suspended person''s token reads and writes nothing.';
comment on column public.profiles.profession is 'Also set by the training request.';

create table public.role_permissions (
  user_type_id text not null references public.user_types (id),
  permission_key text not null,
  allowed boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (user_type_id, permission_key),
  constraint role_permissions_key_form check (
    permission_key ~ '^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$' and char_length(permission_key) <= 80
  )
);
comment on table public.role_permissions is
  'What a type of account may do, for the frontend''s guards; a key without a row is not allowed.';

create index profiles_user_type_id_idx on public.profiles (user_type_id);
create index profiles_newest_idx on public.profiles (created_at desc, id desc);
-- app.people_named has to write the same expression, or PostgreSQL would not use the index.
create index profiles_words_idx on public.profiles using gin (
  app.plain(
    coalesce(' ' || first_name, '') || coalesce(' ' || last_name, '')
      || coalesce(' ' || email, ''))
  extensions.gin_trgm_ops
);

create trigger user_types_set_updated_at before update on public.user_types
  for each row execute function app.set_updated_at();
create trigger profiles_set_updated_at before update on public.profiles
  for each row execute function app.set_updated_at();
create trigger role_permissions_set_updated_at before update on public.role_permissions
  for each row execute function app.set_updated_at();

-- Who asks ------------------------------------------------------------------------------------

create view app.caller with (security_invoker = true) as
select id, user_type_id from public.profiles where id = auth.uid() and status <> 'suspended';
comment on view app.caller is
  'The caller, or no row when suspended or gone: for functions that find him and what he asks for '
  'in one statement, and leave it to app.require_user to tell why that found nothing.';

create function app.current_user_id() returns uuid
language sql stable
security definer -- it stands under the policies of the table it reads
set search_path = ''
as $$
  select id from public.profiles where id = auth.uid() and status <> 'suspended';
$$;
comment on function app.current_user_id is
  'The caller, unless suspended or gone: in policies, use this rather than auth.uid().';
grant execute on function app.current_user_id to authenticated, service_role;

create function app.current_user_type() returns text
language sql stable
security definer -- it stands under the policies of the table it reads
set search_path = ''
as $$
  select user_type_id from public.profiles where id = auth.uid() and status <> 'suspended';
$$;
comment on function app.current_user_type is 'The caller''s type; null when suspended or gone.';
grant execute on function app.current_user_type to authenticated, service_role;

create function public.is_admin_or_owner(uid uuid) returns boolean
language sql stable
security definer -- it stands under the policies of the table it reads
set search_path = ''
as $$
  -- Nobody who may not read anything may ask about others.
  select exists (
    select from public.profiles
    where id = uid and user_type_id in ('admin', 'owner') and status <> 'suspended'
  ) and (auth.uid() is null or uid = auth.uid() or app.current_user_id() is not null);
$$;
comment on function public.is_admin_or_owner is
  'Whether this person runs the place; false when suspended or gone.';
grant execute on function public.is_admin_or_owner to authenticated, service_role;

create function app.refuse_absent(p_status text) returns void
language plpgsql
set search_path = ''
as $$
begin
  if p_status is null then
    perform app.refuse('NOT_AUTHENTICATED', 'Connecte-toi pour continuer.');
  end if;
  perform app.refuse('FORBIDDEN', 'Ton compte est suspendu.');
end;
$$;
comment on function app.refuse_absent is
  'Refuse with NOT_AUTHENTICATED who has no living account (null), and else with FORBIDDEN.';

create function app.require_user() returns uuid
language plpgsql stable
security definer -- the suspended cannot read why they are refused
set search_path = ''
as $$
declare
  caller_id constant uuid := auth.uid();
  caller_status text;
begin
  select status into caller_status from public.profiles where id = caller_id;
  if caller_status is null or caller_status = 'suspended' then
    perform app.refuse_absent(caller_status);
  end if;
  return caller_id;
end;
$$;
comment on function app.require_user is
  'The caller. Refuses with NOT_AUTHENTICATED without a living account, FORBIDDEN when suspended.';
grant execute on function app.require_user to authenticated, service_role;

create function app.require_admin() returns uuid
language plpgsql stable
security definer -- the suspended cannot read why they are refused
set search_path = ''
as $$
declare
  caller_id constant uuid := auth.uid();
  caller_status text;
  caller_type text;
begin
  -- Both at once, for this stands before most of what staff do.
  select status, user_type_id into caller_status, caller_type
  from public.profiles where id = caller_id;
  if caller_status is null or caller_status = 'suspended' then
    perform app.refuse_absent(caller_status);
  end if;
  if caller_type not in ('admin', 'owner') then
    perform app.refuse('FORBIDDEN', 'Tu n''as pas le droit de faire cela.');
  end if;
  return caller_id;
end;
$$;
comment on function app.require_admin is
  'The caller, an admin or owner. Refuses with NOT_AUTHENTICATED or FORBIDDEN.';
grant execute on function app.require_admin to authenticated, service_role;

create function app.require_owner() returns uuid
language plpgsql stable
set search_path = ''
as $$
declare
  caller_id constant uuid := app.require_user();
begin
  if app.current_user_type() is distinct from 'owner' then
    perform app.refuse('FORBIDDEN', 'Seul un propriétaire peut faire cela.');
  end if;
  return caller_id;
end;
$$;
comment on function app.require_owner is
  'The caller, an owner. Refuses with NOT_AUTHENTICATED or FORBIDDEN.';
grant execute on function app.require_owner to authenticated, service_role;

create function app.require_authority_over(p_user_type_id text) returns uuid
language plpgsql stable
set search_path = ''
as $$
begin
  -- An admin who decided for admins could undo what an owner decided.
  if p_user_type_id in ('owner', 'admin') then
    return app.require_owner();
  end if;
  return app.require_admin();
end;
$$;
comment on function app.require_authority_over is
  'The caller: an owner for any type, an admin for prof and client. Else refuses with FORBIDDEN.';
grant execute on function app.require_authority_over to authenticated, service_role;

-- Who may see and write -----------------------------------------------------------------------

alter table public.user_types enable row level security;
create policy user_types_select_all on public.user_types for select to authenticated
  using ((select app.current_user_id()) is not null);
-- Types are part of the schema: nobody adds or removes one at run time.
grant select on public.user_types to authenticated, service_role;

alter table public.profiles enable row level security;
create policy profiles_select_own_or_staff on public.profiles for select to authenticated
  using (
    id = (select app.current_user_id())
    or (select public.is_admin_or_owner((select auth.uid())))
  );
create policy profiles_update_own on public.profiles for update to authenticated
  using (id = (select app.current_user_id()))
  with check (id = (select app.current_user_id()));
grant select on public.profiles to authenticated;
-- Not the type, the status or the address: those have their own doors, and Auth's.
grant update (first_name, last_name, avatar_path, profession) on public.profiles to authenticated;
-- A profile comes and goes with its account, so not even a server inserts or deletes one.
grant select, update on public.profiles to service_role;

alter table public.role_permissions enable row level security;
create policy role_permissions_select_own_type_or_staff on public.role_permissions
  for select to authenticated
  using (
    user_type_id = (select app.current_user_type())
    or (select public.is_admin_or_owner((select auth.uid())))
  );
-- Staff write through set_role_permission, which knows who may decide for whom.
grant select on public.role_permissions to authenticated;
grant select, insert, update, delete on public.role_permissions to service_role;
