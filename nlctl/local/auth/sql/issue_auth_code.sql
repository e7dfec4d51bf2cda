update auth.flow_state
set auth_code_issued_at = now(), updated_at = now()
where id = (
  select id from auth.flow_state
  where user_id = %(user_id)s and authentication_method = %(method)s and auth_code is not null
  order by created_at desc
  limit 1)
returning auth_code
