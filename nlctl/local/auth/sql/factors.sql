select id, user_id, created_at, updated_at, status::text, factor_type::text, last_challenged_at,
  coalesce(friendly_name, '') as friendly_name, coalesce(secret, '') as secret,
  coalesce(phone, '') as phone
from auth.mfa_factors
where user_id = %s
order by created_at, id
