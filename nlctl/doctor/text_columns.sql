-- The columns of some tables that hold texts, one by one, in lists or inside JSON.
select n.nspname, c.relname, a.attname
from unnest(%(tables)s::text[]) wanted
join pg_class c on c.oid = to_regclass(wanted)
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
join pg_type t on t.oid = a.atttypid
left join pg_type element on element.oid = t.typelem and t.typcategory = 'A'
where coalesce(element.typcategory, t.typcategory) = 'S'
  or coalesce(element.typname, t.typname) in ('json', 'jsonb')
order by 1, 2, a.attnum
