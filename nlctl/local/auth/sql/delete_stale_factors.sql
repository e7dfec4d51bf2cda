delete from auth.mfa_factors f
where status <> 'verified' and created_at < now() - make_interval(secs => %s)
  and not exists (select from auth.mfa_challenges c where c.factor_id = f.id)
