-- Foreign keys between relations, each side as column numbers.
select
  k.conname as name,
  k.conrelid::bigint as relation_id,
  k.confrelid::bigint as referenced_id,
  k.conkey as columns,
  k.confkey as referenced_columns,
  exists (
    select from pg_constraint u
    where u.conrelid = k.conrelid and u.contype in ('p', 'u')
      and (select array_agg(n order by n) from unnest(u.conkey) n) = k.conkey
  ) as is_one_to_one
from pg_constraint k
where k.contype = 'f' and k.conparentid = 0 and k.connamespace::regnamespace::text <> 'pg_catalog'
