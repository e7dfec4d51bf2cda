select user_id, token_type::text, relates_to
from auth.one_time_tokens
where token_hash = any(%(hashes)s) and token_type::text = any(%(token_types)s)
limit 1
