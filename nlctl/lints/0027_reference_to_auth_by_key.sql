-- What refers to Auth refers to a primary key: Auth's other unique constraints come and go.
select
  format('constraint %I on %s', conname, conrelid::regclass) as object,
  format('It refers to %s by something else than its primary key.', confrelid::regclass) as detail,
  'Refer to the primary key.' as remedy
from pg_constraint
join tables on tables.oid = conrelid
join pg_class as parent on parent.oid = confrelid and parent.relnamespace = to_regnamespace('auth')
where contype = 'f'
  and not exists (select from pg_index where indexrelid = conindid and indisprimary)
