insert into auth.users (id, email)
select gen_random_uuid(), 'p' || n || '@example.test' from generate_series(1, 20000) as n;
insert into public.profiles (id, email, user_type_id, created_at)
select
  id, email, case when email ~ '^p[0-9]{1,2}@' then 'admin' when email ~ '5@' then 'prof'
    else 'client' end,
  now() - random() * interval '900 days'
from auth.users;
