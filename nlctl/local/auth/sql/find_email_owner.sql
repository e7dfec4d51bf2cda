-- Whoever holds this address, by an identity or by the account itself; people who come through a
-- company's directory (SSO) may share an address with others.
select id
from auth.users
where aud = %(aud)s and instance_id = '00000000-0000-0000-0000-000000000000'
  and id is distinct from %(except_id)s
  and id in (
    select user_id from auth.identities
    where email = lower(%(email)s) and provider not like 'sso:%%'
    union all
    select id from auth.users where lower(email) = lower(%(email)s) and not is_sso_user)
limit 1
