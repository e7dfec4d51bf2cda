select a.attrelid as relation, a.attname as name, a.attnum::int as position,
  format_type(a.atttypid, a.atttypmod) as type,
  tn.nspname as type_schema, t.typname as type_name, a.attnotnull as is_not_null,
  case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end as default,
  case when a.attgenerated <> '' then pg_get_expr(d.adbin, d.adrelid) end as generated,
  a.attgenerated::text as generated_kind,
  case a.attidentity when 'a' then 'always' when 'd' then 'by default' end as identity,
  case when a.attcollation <> t.typcollation then a.attcollation::regcollation::text end as collation,
  a.attinhcount > 0 and not a.attislocal as is_inherited,
  coalesce(a.attacl, '{}')::text[] as grants,
  col_description(a.attrelid, a.attnum) as comment
from pg_attribute a
join pg_class c on c.oid = a.attrelid
join pg_namespace n on n.oid = c.relnamespace
join pg_type t on t.oid = a.atttypid
join pg_namespace tn on tn.oid = t.typnamespace
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where n.nspname = any (%(schemas)s)
  and c.relkind in ('r', 'p', 'f', 'v', 'm', 'c')
  and a.attnum > 0
  and not a.attisdropped
order by a.attrelid, a.attnum
