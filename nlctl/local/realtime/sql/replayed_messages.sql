-- The latest by the moment they were said; told in the order of commits, as they would have been
-- heard. A clock may be ahead a little; partitions further ahead are empty.
select id, topic, event, payload, binary_payload
from (
  select id::text, topic, event, payload::text, binary_payload,
    pg_xact_commit_timestamp(xmin) as committed_at, cmin::text::bigint as command, ctid as place
  from realtime.messages
  where topic = %(topic)s and private and extension = 'broadcast'
    and event is not null and (payload is not null or binary_payload is not null)
    and inserted_at >= to_timestamp(%(since)s / 1000.0) at time zone 'utc'
    and inserted_at < (now() at time zone 'utc') + interval '1 minute'
  order by inserted_at desc, committed_at desc, command desc, place desc
  limit %(limit)s
) as latest
order by committed_at, command, place
