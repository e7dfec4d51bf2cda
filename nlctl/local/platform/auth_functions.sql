-- Who is asking: the claims of the current request, and the ownership of everything in auth.
--
-- A setting that was local to a finished transaction reads back as '' rather than null, hence the
-- nullif around each.

create or replace function auth.uid() returns uuid
language sql stable
as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.sub', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
  )::uuid
$$;
comment on function auth.uid is 'The id of the person who calls; null for a visitor.';

create or replace function auth.role() returns text
language sql stable
as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.role', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'
  )
$$;
comment on function auth.role is 'The role the caller''s token names.';

create or replace function auth.email() returns text
language sql stable
as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim.email', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'email'
  )
$$;
comment on function auth.email is 'Deprecated: auth.jwt() ->> ''email'' says the same.';

create or replace function auth.jwt() returns jsonb
language sql stable
as $$
  select coalesce(
    nullif(current_setting('request.jwt.claim', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')
  )::jsonb
$$;
comment on function auth.jwt is 'All claims of the caller''s token.';

do $$
declare
  named regclass;
  routine regprocedure;
begin
  for named in
    select oid from pg_catalog.pg_class
    where relnamespace = 'auth'::regnamespace and relkind = 'r'
  loop
    execute format('alter table %s owner to supabase_auth_admin', named);
    execute format('alter table %s enable row level security', named);
    execute format('grant all on table %s to postgres, dashboard_user', named);
  end loop;
  for routine in
    select oid from pg_catalog.pg_proc where pronamespace = 'auth'::regnamespace
  loop
    execute format('alter function %s owner to supabase_auth_admin', routine);
  end loop;
end;
$$;
grant all on all sequences in schema auth to postgres, dashboard_user;

-- postgres may read how far the service has migrated, never write it. It shares the owner's rights
-- (roles.sql), so guard.sql holds the second half.
revoke all on auth.schema_migrations from postgres, dashboard_user;
grant select on auth.schema_migrations to postgres with grant option;
