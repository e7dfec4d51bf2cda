-- A queue that the Data API shows has row level security on.
select
  format('table %s', oid::regclass) as object,
  'The Data API shows this queue, and row level security is off.' as detail,
  format('alter table %s enable row level security;', oid::regclass) as remedy
from pg_class
where relnamespace = to_regnamespace('pgmq') and relkind in ('r', 'p') and not relrowsecurity
  and relname ~ '^[qa]_'
  and 'pgmq_public' = any (string_to_array(current_setting('nlctl.exposed'), ','))
