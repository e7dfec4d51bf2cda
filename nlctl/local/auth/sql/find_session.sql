select id, user_id, created_at, refreshed_at at time zone 'utc' as refreshed_at, not_after,
  coalesce(aal, 'aal1')::text as aal
from auth.sessions
where id = %s
