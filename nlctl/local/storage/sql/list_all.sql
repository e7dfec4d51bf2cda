-- Every object under a prefix, however deep, from a cursor on: $4 is the last name, and $6 the
-- moment it had in the column that is sorted by, to the millisecond.
select {row_of_listing}
from (
  select *, name as key,
    case $5
      when 'updated_at' then date_trunc('milliseconds', updated_at)
      when 'created_at' then date_trunc('milliseconds', created_at)
      else 'epoch'::timestamptz
    end as moment
  from storage.objects
  where bucket_id = $1 and name collate "C" ^@ $2
) as entry
where $4 = ''
  or (moment, name collate "C") {beyond} (coalesce(nullif($6, '')::timestamptz, 'epoch'), $4)
order by moment {direction}, name collate "C" {direction}
limit $3::integer
