-- The claims that Auth would put into the access token of the person with this address or id.
select jsonb_build_object(
  'sub', id,
  'aud', coalesce(nullif(aud, ''), 'authenticated'),
  'role', coalesce(nullif(role, ''), 'authenticated'),
  'email', email,
  'phone', coalesce(phone, ''),
  'app_metadata', coalesce(raw_app_meta_data, '{}'),
  'user_metadata', coalesce(raw_user_meta_data, '{}'),
  'is_anonymous', is_anonymous,
  'aal', 'aal1'
)
from auth.users
where id::text = %(who)s or email = lower(%(who)s)
