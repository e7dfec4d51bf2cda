-- Written as the log writes them. In the order of commits, and within a transaction in the order
-- of its commands.
select id::text, topic, event, payload::text,
  case when private then 't' when not private then 'f' end as private,
  '\x' || encode(binary_payload, 'hex') as binary_payload,
  committed_at
from (
  select *, cmin::text::bigint as command, ctid as place,
    (extract(epoch from pg_xact_commit_timestamp(xmin)) * 1000000)::bigint as committed_at
  from realtime.messages
) as message
where committed_at >= %(since)s
order by committed_at, command, place
