-- Enums, domains, ranges and free-standing composites; a table's own row type is no news.
select n.nspname as schema, t.typname as name,
  case t.typtype
    when 'e' then 'enum' when 'd' then 'domain' when 'r' then 'range' else 'composite'
  end as kind,
  t.typrelid as relation,
  array(select enumlabel from pg_enum where enumtypid = t.oid order by enumsortorder) as labels,
  case t.typtype
    when 'd' then format_type(t.typbasetype, t.typtypmod)
    when 'r' then (select format_type(rngsubtype, null) from pg_range where rngtypid = t.oid)
  end as base,
  t.typdefault as default, t.typnotnull as is_not_null,
  array(
    select format('constraint %%I %%s', conname, pg_get_constraintdef(oid)) from pg_constraint
    where contypid = t.oid and contype = 'c' order by conname) as constraints,
  pg_get_userbyid(t.typowner) as owner,
  coalesce(t.typacl, acldefault('T', t.typowner))::text[] as grants,
  obj_description(t.oid, 'pg_type') as comment
from pg_type t
join pg_namespace n on n.oid = t.typnamespace
left join pg_class c on c.oid = t.typrelid
where n.nspname = any (%(schemas)s)
  and t.typtype in ('e', 'd', 'r', 'c')
  and coalesce(c.relkind = 'c', true)
  and not exists (
    select from pg_depend d
    where d.classid = 'pg_type'::regclass and d.objid = t.oid and d.deptype = 'e')
order by n.nspname, t.typname
