insert into auth.flow_state (
  id, user_id, auth_code, code_challenge, code_challenge_method, provider_type,
  provider_access_token, provider_refresh_token, authentication_method, created_at, updated_at)
values (
  %(id)s, %(user_id)s, %(auth_code)s, %(challenge)s,
  %(challenge_method)s::auth.code_challenge_method, %(provider)s, '', '', %(method)s, now(), now())
