select to_jsonb(existing)::text from {table} as existing order by {existing_key}
