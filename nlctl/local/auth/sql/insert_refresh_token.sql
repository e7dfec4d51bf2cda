insert into auth.refresh_tokens (
  instance_id, token, user_id, session_id, parent, revoked, created_at, updated_at)
values (
  %(instance_id)s, %(token)s, %(user_id)s, %(session_id)s, %(parent)s, false, clock_timestamp(),
  clock_timestamp())
