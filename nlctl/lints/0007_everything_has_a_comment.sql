-- The catalogue tells what each thing is for: pages, types and assistants are made from it.
select
  label as object,
  'It has no comment.' as detail,
  format('comment on %s is ''…'';', label) as remedy
from (
  select label from relations where kind <> 'S' and comment is null
  union all
  select label from functions where obj_description(oid, 'pg_proc') is null
  union all
  select format('%s %s', case t.typtype when 'd' then 'domain' else 'type' end, t.oid::regtype)
  from pg_type as t
  join ours on ours.oid = t.typnamespace
  left join pg_class as c on c.oid = t.typrelid
  where (t.typtype in ('e', 'd', 'r') or c.relkind = 'c')
    and obj_description(t.oid, 'pg_type') is null
    and not exists (
      select from pg_depend
      where classid = 'pg_type'::regclass and objid = t.oid and deptype = 'e'
    )
) as silent
