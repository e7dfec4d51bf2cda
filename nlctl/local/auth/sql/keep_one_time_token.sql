insert into auth.one_time_tokens (id, user_id, token_type, token_hash, relates_to)
values (%(id)s, %(user_id)s, %(token_type)s, %(token_hash)s, %(relates_to)s)
on conflict (user_id, token_type) do update
  set id = excluded.id, token_hash = excluded.token_hash, relates_to = excluded.relates_to,
    created_at = now(), updated_at = now()
