-- Those that call a function of ours: the platform's may belong to anybody.
select e.evtname as name, e.evtevent as event, coalesce(e.evttags, '{}') as tags,
  e.evtfoid::regproc::text as function,
  case e.evtenabled
    when 'O' then 'origin' when 'D' then 'disabled' when 'R' then 'replica' else 'always'
  end as enabled,
  pg_get_userbyid(e.evtowner) as owner,
  obj_description(e.oid, 'pg_event_trigger') as comment
from pg_event_trigger e
join pg_proc f on f.oid = e.evtfoid
join pg_namespace n on n.oid = f.pronamespace
where n.nspname = any (%(schemas)s)
order by e.evtname
