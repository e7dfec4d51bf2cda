-- Rewrite rules, but for the one that makes a view a view.
select w.ev_class as relation, w.rulename as name, pg_get_ruledef(w.oid) as definition,
  case w.ev_enabled
    when 'O' then 'origin' when 'D' then 'disabled' when 'R' then 'replica' else 'always'
  end as enabled,
  obj_description(w.oid, 'pg_rewrite') as comment
from pg_rewrite w
join pg_class c on c.oid = w.ev_class
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = any (%(schemas)s) and w.rulename <> '_RETURN'
order by w.ev_class, w.rulename
