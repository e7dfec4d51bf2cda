-- Topics: what policies of realtime.messages compare one with, and what functions send to with an
-- id behind, as in 'loans:' || new.borrower_id; then what that id is called.
with named as (
  select word[1] as topic, null as leads_to
  from pg_policies
  cross join regexp_matches(
    coalesce(qual, '') || ' ' || coalesce(with_check, ''), '''([^'']+)''::text', 'g') as word
  where schemaname = 'realtime' and tablename = 'messages'
    and word[1] not in ('broadcast', 'presence')
),
sent as (
  select word[1] as topic, word[2] as leads_to
  from pg_proc p
  join pg_namespace n on n.oid = p.pronamespace
  cross join regexp_matches(
    prosrc, '''([\w-]+:)''\s*\|\|\s*(?:\w+\.)?(?:p_)?(\w+_id)\M', 'g') as word
  where n.nspname in ('app', 'public', 'shared', 'bo')
    and prosrc ~ 'realtime\.(send|broadcast_changes)'
)
select rtrim(topic, '%') as topic, max(leads_to) as leads_to
from (table named union all table sent) as every
group by 1
order by 1
