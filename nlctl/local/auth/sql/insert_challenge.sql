insert into auth.mfa_challenges (id, factor_id, created_at, ip_address)
values (%s, %s, now(), %s)
returning id, created_at, verified_at, host(ip_address) as ip_address
