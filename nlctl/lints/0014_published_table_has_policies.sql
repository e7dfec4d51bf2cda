-- What Realtime publishes goes through the policies of its table, so the table has them on.
select
  format('table %s', prrelid::regclass) as object,
  'Realtime publishes its changes to everybody, for row level security is off.' as detail,
  format('alter table %s enable row level security;', prrelid::regclass) as remedy
from pg_publication_rel
join pg_publication on pg_publication.oid = prpubid and pubname = 'supabase_realtime'
join pg_class on pg_class.oid = prrelid and not relrowsecurity
union all
select
  'publication supabase_realtime',
  'It publishes every table, those to come and those that nobody may read as well.',
  'Name its tables: alter publication supabase_realtime set table …;'
from pg_publication
where pubname = 'supabase_realtime' and puballtables
