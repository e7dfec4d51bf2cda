select id, payload, created_at, ip_address
from auth.audit_log_entries
where cardinality(%(keys)s::text[]) = 0
  or exists (select from unnest(%(keys)s::text[]) key where payload ->> key ilike %(pattern)s)
order by created_at desc, id
limit %(limit)s offset %(offset)s
