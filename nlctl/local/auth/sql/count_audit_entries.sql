select count(*)
from auth.audit_log_entries
where cardinality(%(keys)s::text[]) = 0
  or exists (select from unnest(%(keys)s::text[]) key where payload ->> key ilike %(pattern)s)
