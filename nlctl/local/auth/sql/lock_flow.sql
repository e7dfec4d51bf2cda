select id, user_id, provider_type, authentication_method, created_at, auth_code_issued_at,
  coalesce(code_challenge, '') as code_challenge,
  coalesce(code_challenge_method::text, '') as code_challenge_method
from auth.flow_state
where auth_code = %s
for update
