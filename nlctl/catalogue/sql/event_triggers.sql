select e.evtname as name, e.evtevent as event, coalesce(e.evttags, '{}') as tags,
  e.evtfoid::regproc::text as function,
  case e.evtenabled
    when 'O' then 'origin' when 'D' then 'disabled' when 'R' then 'replica' else 'always'
  end as enabled,
  pg_get_userbyid(e.evtowner) as owner,
  obj_description(e.oid, 'pg_event_trigger') as comment
from pg_event_trigger e
where pg_get_userbyid(e.evtowner) <> all (%(service_roles)s)
order by e.evtname
