insert into auth.users (
  instance_id, id, aud, role, email, phone, encrypted_password,
  confirmation_token, recovery_token, email_change, email_change_token_current,
  email_change_token_new, phone_change, phone_change_token, reauthentication_token,
  raw_app_meta_data, raw_user_meta_data, is_anonymous, created_at, updated_at)
values (
  '00000000-0000-0000-0000-000000000000', %(id)s, %(aud)s, '', nullif(%(email)s, ''),
  nullif(%(phone)s, ''), %(encrypted_password)s,
  '', '', '', '', '', '', '', '',
  %(app_metadata)s, %(user_metadata)s, %(is_anonymous)s, %(created_at)s, %(created_at)s)
