-- As `supabase start` has it unless config.toml says otherwise: what postgres creates in public is
-- open to every role of the API. The clients' own test projects and most tutorials rely on it.
alter default privileges for role postgres in schema public
  grant all on tables to anon, authenticated, service_role;
alter default privileges for role postgres in schema public
  grant all on sequences to anon, authenticated, service_role;
alter default privileges for role postgres in schema public
  grant all on functions to anon, authenticated, service_role;
