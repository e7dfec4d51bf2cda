insert into storage.buckets (
  id, name, public, owner, owner_id, file_size_limit, allowed_mime_types, type
)
values (
  $1, $2, $3::boolean, $4::uuid, $5, $6::bigint,
  (select array_agg(value) from json_array_elements_text($7::json)), 'STANDARD'
)
