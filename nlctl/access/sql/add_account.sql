-- Somebody for the length of a transaction.
insert into auth.users (
  id, instance_id, aud, role, email, email_confirmed_at, created_at, updated_at)
values (
  %(id)s, '00000000-0000-0000-0000-000000000000', 'authenticated', 'authenticated', %(email)s,
  now(), now(), now())
