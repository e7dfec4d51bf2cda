select p.pubname as publication, n.nspname as schema, c.relname as table,
  case when r.prattrs is not null then array(
    select attname from pg_attribute
    where attrelid = r.prrelid and attnum = any (r.prattrs) order by attnum) end as columns,
  pg_get_expr(r.prqual, r.prrelid) as where
from pg_publication_rel r
join pg_publication p on p.oid = r.prpubid
join pg_class c on c.oid = r.prrelid
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = any (%(schemas)s)
order by p.pubname, n.nspname, c.relname
