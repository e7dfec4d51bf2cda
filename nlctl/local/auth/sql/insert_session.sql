insert into auth.sessions (id, user_id, user_agent, ip, aal, created_at, updated_at)
values (%s, %s, %s, %s, 'aal1', now(), now())
