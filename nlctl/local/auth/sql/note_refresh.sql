update auth.sessions
set refreshed_at = now() at time zone 'utc', user_agent = %(user_agent)s, ip = %(ip)s,
  updated_at = now()
where id = %(id)s
