-- Identity: a profile follows its account, and there is always an owner.

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
