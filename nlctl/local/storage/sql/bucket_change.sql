-- $2 holds what shall change, by the names of the columns.
update storage.buckets
set
  public = coalesce(($2::jsonb ->> 'public')::boolean, public),
  file_size_limit = case
    when $2::jsonb ? 'file_size_limit' then ($2::jsonb ->> 'file_size_limit')::bigint
    else file_size_limit
  end,
  allowed_mime_types = case
    when jsonb_typeof($2::jsonb -> 'allowed_mime_types') = 'array'
      then array(select jsonb_array_elements_text($2::jsonb -> 'allowed_mime_types'))
    when $2::jsonb ? 'allowed_mime_types' then null
    else allowed_mime_types
  end
where id = $1
returning id
