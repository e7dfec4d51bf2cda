-- Vault: secrets that SQL may use.
--
-- On the platform an extension encrypts them with a key kept outside the database. Here they lie
-- in the table as they are: the local stack is for development, so put no real secret in it.

create table if not exists vault.secrets (
  id uuid primary key default gen_random_uuid(),
  name text,
  description text not null default '',
  secret text not null,
  key_id uuid,
  nonce bytea,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
comment on table vault.secrets is 'Secrets, not encrypted on the local stack.';
create unique index if not exists secrets_name_idx on vault.secrets (name) where name is not null;

create or replace view vault.decrypted_secrets as
  select id, name, description, secret, secret as decrypted_secret, key_id, nonce,
    created_at, updated_at
  from vault.secrets;
comment on view vault.decrypted_secrets is 'Where SQL reads a secret.';

create or replace function vault.create_secret(
  new_secret text,
  new_name text default null,
  new_description text default '',
  new_key_id uuid default null
) returns uuid
language sql
security definer -- nobody writes the table directly
set search_path = ''
as $$
  insert into vault.secrets (secret, name, description, key_id)
  values (new_secret, new_name, new_description, new_key_id)
  returning id
$$;
comment on function vault.create_secret is 'Keep a secret; answers its id.';

create or replace function vault.update_secret(
  secret_id uuid,
  new_secret text default null,
  new_name text default null,
  new_description text default null,
  new_key_id uuid default null
) returns void
language sql
security definer -- nobody writes the table directly
set search_path = ''
as $$
  update vault.secrets as kept
  set secret = coalesce(new_secret, kept.secret),
    name = coalesce(new_name, kept.name),
    description = coalesce(new_description, kept.description),
    key_id = coalesce(new_key_id, kept.key_id),
    updated_at = now()
  where kept.id = secret_id
$$;
comment on function vault.update_secret is 'Change what is given, keep the rest.';

grant select, delete, truncate, references on vault.secrets, vault.decrypted_secrets
  to postgres with grant option;
revoke execute on function vault.create_secret, vault.update_secret from public;
grant execute on function vault.create_secret, vault.update_secret to postgres with grant option;
grant execute on function vault.create_secret, vault.update_secret to service_role;
