-- $3 is one of the columns named below, or '' for no order at all; $4 is 'desc' or 'asc'.
select {row_of_bucket}
from storage.buckets
where type = 'STANDARD' and ($5 = '' or strpos(lower(name), lower($5)) > 0)
order by
  case when $4 = 'asc' then case $3 when 'id' then id when 'name' then name end end,
  case when $4 = 'desc' then case $3 when 'id' then id when 'name' then name end end desc,
  case when $4 = 'asc' then
    case $3 when 'created_at' then created_at when 'updated_at' then updated_at end
  end,
  case when $4 = 'desc' then
    case $3 when 'created_at' then created_at when 'updated_at' then updated_at end
  end desc
limit $1::bigint offset $2::bigint
