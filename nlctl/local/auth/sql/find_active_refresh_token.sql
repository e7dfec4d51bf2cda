select id, token, user_id::uuid, session_id, coalesce(parent, '') as parent, revoked, updated_at
from auth.refresh_tokens
where session_id = %s and not revoked
order by id desc
limit 1
