-- Objects belong to postgres, whoever signed in, as with the Supabase CLI.
select set_config('role', 'postgres', false)
from pg_roles
where rolname = 'postgres'
  and (session_user = 'supabase_admin' or session_user like 'cli\_login\_%');
-- The statement of a runner that was killed ends soon, and with it the lock.
select set_config('client_connection_check_interval', '2s', false) where version() ~ 'linux';
