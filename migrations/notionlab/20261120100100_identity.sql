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

create trigger user_types_set_updated_at before update on public.user_types
  for each row execute function app.set_updated_at();
create trigger profiles_set_updated_at before update on public.profiles
  for each row execute function app.set_updated_at();
create trigger role_permissions_set_updated_at before update on public.role_permissions
  for each row execute function app.set_updated_at();

-- Who asks ------------------------------------------------------------------------------------

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
-- Not the type, the status or the address: those have their own doors below, and Auth's.
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

-- A profile follows its account ---------------------------------------------------------------

create function app.create_profile(p_account auth.users) returns void
language sql
set search_path = ''
as $$
  -- What people say of themselves at sign-up names them; it never chooses their type.
  insert into public.profiles (id, email, first_name, last_name, status)
  select
    p_account.id,
    p_account.email,
    left(nullif(btrim(coalesce(said ->> 'first_name', said ->> 'given_name')), ''), 100),
    left(nullif(btrim(coalesce(said ->> 'last_name', said ->> 'family_name')), ''), 100),
    case
      when p_account.deleted_at is not null or p_account.banned_until > now() then 'suspended'
      when p_account.invited_at is not null and p_account.email_confirmed_at is null then 'invited'
      else 'active'
    end
  from (select p_account.raw_user_meta_data) as metadata (said);
$$;
comment on function app.create_profile is 'Give an account its profile, as a client.';

create function app.add_profile() returns trigger
language plpgsql
security definer -- Auth signs people up and has no rights in public
set search_path = ''
as $$
begin
  perform app.create_profile(new);
  return null;
end;
$$;
comment on function app.add_profile is 'After sign-up, the profile.';

create function app.sync_profile() returns trigger
language plpgsql
security definer -- Auth changes accounts and has no rights in public
set search_path = ''
as $$
begin
  -- Not in the trigger's WHEN, which would keep Auth's own migrations from altering these columns.
  if (old.email, old.invited_at, old.email_confirmed_at, old.banned_until, old.deleted_at)
    is not distinct from
    (new.email, new.invited_at, new.email_confirmed_at, new.banned_until, new.deleted_at)
  then
    return null;
  end if;

  -- A ban that ends does not lift the suspension: somebody decides that.
  update public.profiles set
    email = new.email,
    status = case
      when new.deleted_at is not null or new.banned_until > now() then 'suspended'
      when status = 'invited' and old.email_confirmed_at is null
        and new.email_confirmed_at is not null then 'active'
      when status = 'active' and old.invited_at is null and new.invited_at is not null
        and new.email_confirmed_at is null then 'invited'
      else status
    end
  where id = new.id;
  return null;
end;
$$;
comment on function app.sync_profile is
  'Carry to the profile a new address, an invitation, its confirmation, a ban, an erasure.';

create trigger profiles_add after insert on auth.users
  for each row execute function app.add_profile();
create trigger profiles_sync after update on auth.users
  for each row execute function app.sync_profile();

-- The people of a project that is older than this file.
select app.create_profile(account) from auth.users as account;

-- There is always an owner ----------------------------------------------------------------------

create function app.keep_an_owner() returns trigger
language plpgsql
security definer -- it counts owners whom the writer may not see
set search_path = ''
as $$
begin
  -- Two owners who leave at once meet on this row: the second waits, then counts anew.
  update public.user_types set updated_at = now() where id = 'owner';
  if not exists (
    select from public.profiles where user_type_id = 'owner' and status = 'active'
  ) then
    perform app.refuse('CONFLICT', 'C''est le dernier propriétaire.', null,
      'Nomme d''abord un autre propriétaire.');
  end if;
  return null;
end;
$$;
comment on function app.keep_an_owner is 'Refuse to lose the last active owner, whoever asks.';

create trigger profiles_keep_an_owner_on_update after update on public.profiles
  for each row
  when (
    (old.user_type_id, old.status) = ('owner', 'active')
    and (new.user_type_id, new.status) <> ('owner', 'active')
  )
  execute function app.keep_an_owner();
create trigger profiles_keep_an_owner_on_delete after delete on public.profiles
  for each row
  when ((old.user_type_id, old.status) = ('owner', 'active'))
  execute function app.keep_an_owner();
create trigger profiles_keep_an_owner_on_truncate after truncate on public.profiles
  for each statement execute function app.keep_an_owner();

-- What may be asked -----------------------------------------------------------------------------

create function app.permissions_of(p_user_type_id text) returns jsonb
language sql stable
set search_path = ''
as $$
  select coalesce(jsonb_object_agg(permission_key, allowed), '{}')
  from public.role_permissions
  where user_type_id = p_user_type_id;
$$;
comment on function app.permissions_of is 'Permission keys of a type, each with true or false.';

create function public.get_my_permissions() returns jsonb
language plpgsql stable
security definer -- app.permissions_of is not granted
set search_path = ''
as $$
begin
  perform app.require_user();
  return app.permissions_of(app.current_user_type());
end;
$$;
comment on function public.get_my_permissions is
  'The caller''s permission keys, each with true or false. Refuses with NOT_AUTHENTICATED or '
  'FORBIDDEN.';
grant execute on function public.get_my_permissions to authenticated;

create function public.set_role_permission(
  p_user_type_id text,
  p_permission_key text,
  p_allowed boolean
) returns public.role_permissions
language plpgsql
security definer -- staff may not write role_permissions; this is their door
set search_path = ''
as $$
declare
  permission public.role_permissions;
begin
  perform app.require_admin();
  if not exists (select from public.user_types where id = p_user_type_id) then
    perform app.refuse('INVALID', 'Ce type de compte n''existe pas.', 'user_type_id');
  end if;
  perform app.require_authority_over(p_user_type_id);
  if p_allowed is null then
    perform app.refuse('INVALID', 'Dis si c''est permis ou non.', 'allowed');
  end if;
  if not exists (select from public.role_permissions where permission_key = p_permission_key) then
    perform app.refuse('NOT_FOUND', 'Cette permission n''existe pas.', 'permission_key');
  end if;

  insert into public.role_permissions (user_type_id, permission_key, allowed)
  values (p_user_type_id, p_permission_key, p_allowed)
  on conflict (user_type_id, permission_key) do update set allowed = excluded.allowed
  returning * into permission;
  return permission;
end;
$$;
comment on function public.set_role_permission is
  'Allow or forbid something to a type of account. Admins decide for prof and client, owners for '
  'all. Refuses with FORBIDDEN, NOT_FOUND or INVALID (user_type_id, allowed).';
grant execute on function public.set_role_permission to authenticated;

create function public.list_users(
  p_search text default null,
  p_user_type_id text default null,
  p_status text default null,
  p_before timestamptz default null,
  p_before_id uuid default null,
  p_limit integer default 50
) returns table (
  id uuid,
  email text,
  first_name text,
  last_name text,
  avatar_path text,
  user_type_id text,
  status text,
  profession text,
  created_at timestamptz,
  last_sign_in_at timestamptz
)
language plpgsql stable
security definer -- the last sign-in is in auth.users
set search_path = ''
as $$
declare
  accented constant text := 'àáâãäåçèéêëìíîïñòóôõöùúûüýÿ';
  plain constant text := 'aaaaaaceeeeiiiinooooouuuuyy';
  wanted constant text := translate(lower(btrim(p_search)), accented, plain);
begin
  perform app.require_admin();
  if p_limit is null or p_limit not between 1 and 100 then
    perform app.refuse('INVALID', 'Demande entre 1 et 100 personnes à la fois.', 'limit');
  end if;

  return query
  select
    p.id, p.email, p.first_name, p.last_name, p.avatar_path, p.user_type_id, p.status,
    p.profession, p.created_at, u.last_sign_in_at
  from public.profiles as p
  join auth.users as u on u.id = p.id
  where (p_user_type_id is null or p.user_type_id = p_user_type_id)
    and (p_status is null or p.status = p_status)
    and (
      wanted is null
      or strpos(
        translate(
          lower(concat_ws(' ', p.first_name, p.last_name, p.email)), accented, plain),
        wanted) > 0
    )
    and (
      p_before is null
      or (p.created_at, p.id)
        < (p_before, coalesce(p_before_id, '00000000-0000-0000-0000-000000000000'))
    )
  order by p.created_at desc, p.id desc
  limit p_limit;
end;
$$;
comment on function public.list_users is
  'Newest people first, for staff; the next page starts from the last row''s created_at and id. '
  'Refuses with FORBIDDEN or INVALID (limit).';
grant execute on function public.list_users to authenticated;

create function app.take_person(p_user_id uuid) returns public.profiles
language plpgsql
set search_path = ''
as $$
declare
  person public.profiles;
begin
  perform app.require_admin();
  select * into person from public.profiles where id = p_user_id for update;
  if not found then
    perform app.refuse('NOT_FOUND', 'Cette personne n''existe pas.');
  end if;
  perform app.require_authority_over(person.user_type_id);
  return person;
end;
$$;
comment on function app.take_person is
  'Lock the profile of somebody the caller has authority over. Refuses with FORBIDDEN, NOT_FOUND.';

create function public.set_user_type(p_user_id uuid, p_user_type_id text) returns public.profiles
language plpgsql
security definer -- nobody may write a type; this is the door of staff
set search_path = ''
as $$
declare
  person public.profiles := app.take_person(p_user_id);
begin
  if not exists (select from public.user_types where id = p_user_type_id) then
    perform app.refuse('INVALID', 'Ce type de compte n''existe pas.', 'user_type_id');
  end if;
  perform app.require_authority_over(p_user_type_id);

  update public.profiles set user_type_id = p_user_type_id where id = p_user_id
  returning * into person;
  return person;
end;
$$;
comment on function public.set_user_type is
  'Give somebody another type: admins between prof and client, owners all. Refuses with '
  'FORBIDDEN, NOT_FOUND, INVALID (user_type_id), CONFLICT for the last owner.';
grant execute on function public.set_user_type to authenticated;

create function public.set_user_status(p_user_id uuid, p_status text) returns public.profiles
language plpgsql
security definer -- nobody may write a status; this is the door of staff
set search_path = ''
as $$
declare
  person public.profiles := app.take_person(p_user_id);
begin
  if p_status is null or p_status not in ('invited', 'active', 'suspended') then
    perform app.refuse('INVALID', 'Ce statut n''existe pas.', 'status');
  end if;
  if p_status = 'suspended' and p_user_id = auth.uid() then
    perform app.refuse('FORBIDDEN', 'Tu ne peux pas suspendre ton propre compte.');
  end if;

  update public.profiles set status = p_status where id = p_user_id
  returning * into person;
  return person;
end;
$$;
comment on function public.set_user_status is
  'Suspend somebody or let him back in: admins for prof and client, owners for all. Refuses with '
  'FORBIDDEN, NOT_FOUND, INVALID (status), CONFLICT for the last owner.';
grant execute on function public.set_user_status to authenticated;
