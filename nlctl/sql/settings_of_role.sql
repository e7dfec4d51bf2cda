-- What `alter role … set` gives a request: the role's own settings before authenticator's, which
-- the API's connections start with; those of one database before those of all.
select distinct on (setting.name) setting.name, setting.value
from pg_db_role_setting stored
join pg_roles owner on owner.oid = stored.setrole
cross join unnest(stored.setconfig) entry
cross join lateral (
  select split_part(entry, '=', 1) as name, substr(entry, strpos(entry, '=') + 1) as value
) setting
join pg_settings known on known.name = setting.name and known.context = 'user'
where owner.rolname in ('authenticator', %(role)s)
  and stored.setdatabase in (0, (select oid from pg_database where datname = current_database()))
order by setting.name, owner.rolname = %(role)s desc, stored.setdatabase desc
