select id, user_id, created_at, updated_at, status::text, coalesce(friendly_name, '') as friendly_name,
  coalesce(secret, '') as secret, factor_type::text, coalesce(phone, '') as phone, last_challenged_at
from auth.mfa_factors
where user_id = %s
order by created_at, id
