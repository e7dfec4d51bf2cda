select l.pid, l.pid = pg_backend_pid() as is_me, a.application_name, a.usename, a.backend_start
from pg_locks l
left join pg_stat_activity a on a.pid = l.pid
where l.locktype = 'advisory'
  and l.granted
  and l.database = (select oid from pg_database where datname = current_database())
  and (l.classid::bigint << 32 | l.objid::bigint) = %(key)s
  and l.objsubid = 1
