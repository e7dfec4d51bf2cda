select a.attrelid::bigint, a.attnum::int
from pg_attribute a
join pg_type t on t.oid = a.atttypid
where a.attrelid = any (%(relations)s::oid[]) and a.attnum > 0
  and (a.attnotnull or (t.typtype = 'd' and t.typnotnull))
