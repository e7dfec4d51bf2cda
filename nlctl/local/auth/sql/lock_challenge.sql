select id, created_at, verified_at, host(ip_address) as ip_address
from auth.mfa_challenges
where id = %s and factor_id = %s
for update
