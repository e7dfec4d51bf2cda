-- Row level security is on for every table of an exposed schema, and for every table with policies.
select
  label as object,
  case
    when exists (select from policies where relation = tables.oid)
      then 'Row level security is off, so its policies decide nothing.'
    else 'Row level security is off, so a grant opens every row.'
  end as detail,
  format('alter table %s enable row level security;', oid::regclass) as remedy
from tables
where not has_rls
  and (is_exposed or exists (select from policies where relation = tables.oid))
