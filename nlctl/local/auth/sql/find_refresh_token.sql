select id, token, user_id::uuid, session_id, coalesce(parent, '') as parent,
  coalesce(revoked, false) as revoked, updated_at
from auth.refresh_tokens
where token = %s
