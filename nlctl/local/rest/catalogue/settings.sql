-- What `alter role authenticator set pgrst.… = …` says; said for this database, it wins.
select distinct on (name)
  pg_catalog.split_part(pg_catalog.split_part(setting, '=', 1), '.', 2) as name,
  pg_catalog.substr(setting, pg_catalog.strpos(setting, '=') + 1) as value
from pg_catalog.pg_db_role_setting as s
cross join lateral pg_catalog.unnest(s.setconfig) as setting
where s.setrole = (select oid from pg_catalog.pg_roles where rolname = current_user)
  and s.setdatabase in (
    0, (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()))
  and setting like 'pgrst.%%'
order by name, s.setdatabase desc
