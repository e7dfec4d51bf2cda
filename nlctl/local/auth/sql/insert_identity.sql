insert into auth.identities (
  id, provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at)
values (%(id)s, %(provider_id)s, %(user_id)s, %(data)s, %(provider)s, %(at)s, %(at)s, %(at)s)
returning id, provider_id, user_id, identity_data, provider, last_sign_in_at, created_at,
  updated_at, coalesce(email, '') as email
