-- Triggers on our tables; and on the platform's, those that call a function of somebody else.
select t.tgrelid as relation, n.nspname as schema, c.relname as table, t.tgname as name,
  pg_get_triggerdef(t.oid) as definition, t.tgfoid::regproc::text as function,
  case t.tgenabled
    when 'O' then 'origin' when 'D' then 'disabled' when 'R' then 'replica' else 'always'
  end as enabled,
  array(
    select p.tgrelid::regclass::text from pg_trigger p
    where p.tgparentid = t.oid and p.tgenabled <> t.tgenabled order by 1) as exceptions,
  obj_description(t.oid, 'pg_trigger') as comment
from pg_trigger t
join pg_class c on c.oid = t.tgrelid
join pg_namespace n on n.oid = c.relnamespace
join pg_proc f on f.oid = t.tgfoid
join pg_namespace fn on fn.oid = f.pronamespace
where not t.tgisinternal
  and t.tgparentid = 0
  and (
    n.nspname = any (%(schemas)s)
    or (n.nspname = any (%(services)s) and fn.nspname <> all (%(services)s || '{_platform,_realtime}'))
  )
order by n.nspname, c.relname, t.tgname
