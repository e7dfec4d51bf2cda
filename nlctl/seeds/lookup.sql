-- Row by row in the order given: the value by which others point at that row; null if there is none.
select to_jsonb(existing.{target})
from jsonb_array_elements(%(rows)s::jsonb) with ordinality as item (fields, position)
cross join lateral jsonb_populate_record(null::{table}, item.fields) as given
left join {table} as existing on ({existing_key}) = ({given_key})
order by item.position
