insert into auth.mfa_amr_claims (
  id, session_id, created_at, updated_at, authentication_method)
values (%s, %s, now(), now(), %s)
on conflict (session_id, authentication_method) do update set updated_at = excluded.updated_at
