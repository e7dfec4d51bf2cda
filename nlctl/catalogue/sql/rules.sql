-- Rewrite rules, but for the one that makes a view a view.
select w.ev_class as relation, w.rulename as name, pg_get_ruledef(w.oid) as definition
from pg_rewrite w
join pg_class c on c.oid = w.ev_class
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = any (%(schemas)s) and w.rulename <> '_RETURN'
order by w.ev_class, w.rulename
