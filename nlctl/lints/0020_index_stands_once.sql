-- No index is there twice: each is paid for at every write.
select
  format('index %s', spare.indexrelid::regclass) as object,
  format('It finds nothing that %s does not.', min(kept.indexrelid)::regclass) as detail,
  format('drop index %s;', spare.indexrelid::regclass) as remedy
from pg_index as spare
join tables on tables.oid = spare.indrelid
join pg_index as kept on kept.indrelid = spare.indrelid
  and (
    kept.indkey::text, kept.indnkeyatts, kept.indclass, kept.indcollation, kept.indoption::text,
    coalesce(pg_get_expr(kept.indexprs, kept.indrelid), ''),
    coalesce(pg_get_expr(kept.indpred, kept.indrelid), '')
  ) = (
    spare.indkey::text, spare.indnkeyatts, spare.indclass, spare.indcollation,
    spare.indoption::text,
    coalesce(pg_get_expr(spare.indexprs, spare.indrelid), ''),
    coalesce(pg_get_expr(spare.indpred, spare.indrelid), '')
  )
cross join lateral (
  select
    exists (select from pg_constraint where conindid = kept.indexrelid) as is_needed,
    exists (select from pg_constraint where conindid = spare.indexrelid) as is_constraint
) as used
-- What is unique, or a constraint, is kept; else the older of the two.
where not is_constraint
  and (
    is_needed or kept.indisunique > spare.indisunique
    or (kept.indisunique = spare.indisunique and kept.indexrelid < spare.indexrelid)
  )
group by spare.indexrelid
