-- Settings of the roles that requests become, as far as the login may set them.
select
  r.rolname::text as role,
  pg_catalog.split_part(said.setting, '=', 1) as name,
  pg_catalog.substr(said.setting, pg_catalog.strpos(said.setting, '=') + 1) as value
from pg_catalog.pg_auth_members as m
join pg_catalog.pg_roles as r on r.oid = m.roleid
cross join lateral pg_catalog.unnest(r.rolconfig) as said (setting)
join pg_catalog.pg_settings as known on known.name = pg_catalog.split_part(said.setting, '=', 1)
where m.member = (select oid from pg_catalog.pg_roles where rolname = current_user)
  and (
    known.context = 'user'
    or pg_catalog.has_parameter_privilege(current_user, known.name, 'set'))
