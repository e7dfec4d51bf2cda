-- The words that policies of realtime.messages compare a topic with: 'theme', or 'loans:' before an id.
select distinct word[1] as topic
from pg_policies
cross join regexp_matches(
  coalesce(qual, '') || ' ' || coalesce(with_check, ''), '''([^'']+)''::text', 'g') as word
where schemaname = 'realtime' and tablename = 'messages'
  and word[1] not in ('broadcast', 'presence')
order by 1
