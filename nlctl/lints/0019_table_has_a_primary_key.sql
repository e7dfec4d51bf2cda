-- Every row has a name: Realtime, the audit log and REST address it by its primary key.
select
  label as object,
  'It has no primary key.' as detail,
  format('alter table %s add primary key (…);', oid::regclass) as remedy
from tables
where not exists (select from pg_index where indrelid = tables.oid and indisprimary)
