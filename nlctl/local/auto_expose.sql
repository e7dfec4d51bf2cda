-- What projects had before May 2026, where config.toml asks for it (api.auto_expose_new_tables):
-- whatever postgres creates in public is open to every role of the API.
alter default privileges for role postgres in schema public
  grant all on tables to anon, authenticated, service_role;
alter default privileges for role postgres in schema public
  grant all on sequences to anon, authenticated, service_role;
alter default privileges for role postgres in schema public
  grant all on functions to anon, authenticated, service_role;
