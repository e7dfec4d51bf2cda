-- The longest-standing person of each kind, and the client after the first for `other`.
select distinct on (kind) kind, id
from (
  select
    case
      when status = 'suspended' and user_type_id = 'client' then 'suspended'
      when status <> 'active' then null
      when user_type_id = 'client' and 1 < row_number() over (
        partition by user_type_id, status order by created_at, id) then 'other'
      else user_type_id
    end as kind,
    id, created_at
  from public.profiles
) as known
where kind is not null
order by kind, created_at, id
