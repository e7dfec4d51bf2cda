-- Rows of the table that no file names, by key.
select jsonb_build_object({pairs})::text
from {table} as existing
where not exists (
  select from jsonb_populate_recordset(null::{table}, %(rows)s::jsonb) as given
  where ({existing_key}) = ({given_key})
)
order by {existing_key}
