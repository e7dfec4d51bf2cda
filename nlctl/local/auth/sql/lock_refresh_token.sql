select t.id, t.token, t.user_id::uuid, t.session_id, coalesce(t.parent, '') as parent,
  coalesce(t.revoked, false) as revoked, t.updated_at
from auth.refresh_tokens t
join auth.sessions s on s.id = t.session_id
where t.token = %s
for update skip locked
