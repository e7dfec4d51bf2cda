insert into auth.mfa_factors (
  id, user_id, friendly_name, secret, factor_type, status, created_at, updated_at)
values (%s, %s, %s, %s, 'totp', 'unverified', now(), now())
