select authentication_method as method, floor(extract(epoch from updated_at))::bigint as timestamp
from auth.mfa_amr_claims
where session_id = %s
order by updated_at desc, created_at desc
