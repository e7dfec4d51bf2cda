-- Row by row in the files' order: whether it is new, and each differing column's old and new value.
select
  existing.{first_key} is null as is_new,
  coalesce((
    select jsonb_object_agg(
      field.name, jsonb_build_array(to_jsonb(existing) -> field.name, to_jsonb(given) -> field.name)
    )
    from jsonb_object_keys(item.fields) as field (name)
    where to_jsonb(existing) -> field.name is distinct from to_jsonb(given) -> field.name
      and (existing.{first_key} is null or field.name <> all (%(initial)s::text[]))
  ), '{{}}')::text as changes
from jsonb_array_elements(%(rows)s::jsonb) with ordinality as item (fields, position)
cross join lateral jsonb_populate_record(null::{table}, item.fields) as given
left join {table} as existing on ({existing_key}) = ({given_key})
order by item.position
