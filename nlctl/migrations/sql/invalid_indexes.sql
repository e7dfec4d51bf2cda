-- Indexes a file may have left half built: it names them or their table, and nobody builds them now.
select format('drop index concurrently %%I.%%I;', n.nspname, i.relname)
from pg_index x
join pg_class i on i.oid = x.indexrelid
join pg_class t on t.oid = x.indrelid
join pg_namespace n on n.oid = i.relnamespace
where not x.indisvalid
  and (
    t.relname = any (%(names)s)
    or regexp_replace(i.relname, '_cc(new|old)[0-9]*$', '') = any (%(names)s)
  )
  and not exists (select from pg_stat_progress_create_index p where p.index_relid = x.indexrelid)
order by n.nspname, i.relname
