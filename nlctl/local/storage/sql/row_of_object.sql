json_build_object(
  'id', id,
  'name', name,
  'bucket_id', bucket_id,
  'owner', coalesce(owner::text, ''),
  'owner_id', coalesce(owner_id, ''),
  'version', coalesce(version, ''),
  'metadata', metadata,
  'user_metadata', user_metadata,
  'updated_at', to_char(updated_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
  'created_at', to_char(created_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
  'last_accessed_at',
  to_char(last_accessed_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
)::text
