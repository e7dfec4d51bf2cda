delete from auth.mfa_amr_claims
where authentication_method = %s
  and session_id in (select id from auth.sessions where factor_id = %s)
