-- Identity: what people may do, and who decides about whom.

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

create function app.people_named(p_words text) returns uuid[]
language sql stable
set search_path = ''
as $$
  select array(
    select id from public.profiles
    where app.plain(
        coalesce(' ' || first_name, '') || coalesce(' ' || last_name, '')
          || coalesce(' ' || email, ''))
      like app.pattern_of(p_words));
$$;
comment on function app.people_named is
  'The people who have these words in their names or address.';

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
  is_searched constant boolean := app.pattern_of(p_search) is not null;
  named uuid[];
begin
  perform app.require_admin();
  if p_limit is null or p_limit not between 1 and 100 then
    perform app.refuse('INVALID', 'Demande entre 1 et 100 personnes à la fois.', 'limit');
  end if;
  if is_searched then
    named := app.people_named(p_search);
  end if;

  return query
  select
    p.id, p.email, p.first_name, p.last_name, p.avatar_path, p.user_type_id, p.status,
    p.profession, p.created_at, u.last_sign_in_at
  from public.profiles as p
  join auth.users as u on u.id = p.id
  where (p_user_type_id is null or p.user_type_id = p_user_type_id)
    and (p_status is null or p.status = p_status)
    and (not is_searched or p.id = any (named))
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
  'Newest people first, for staff; p_search looks in names and addresses (one or two letters: '
  'where a word begins). The next page starts from the last row''s created_at and id. '
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
