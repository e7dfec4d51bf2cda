delete from {table} as existing
using jsonb_populate_recordset(null::{table}, %(rows)s::jsonb) as given
where ({existing_key}) = ({given_key})
