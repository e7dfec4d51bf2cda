-- What the bucket takes is read before anybody else's rights apply: by whoever runs the statement.
{scope},
  (
    select json_build_object(
      'public', coalesce(public, false),
      'file_size_limit', file_size_limit,
      'allowed_mime_types', coalesce(allowed_mime_types, '{}')
    )::text
    from storage.buckets
    where id = $9
  )
