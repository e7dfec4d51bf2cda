-- Tables and views: r, p and f hold rows, v and m show them.
select c.oid, n.nspname as schema, c.relname as name, c.relkind::text as kind,
  pg_get_userbyid(c.relowner) as owner,
  coalesce(c.relacl, acldefault('r', c.relowner))::text[] as grants,
  coalesce(c.reloptions, '{}') as options,
  c.relrowsecurity as has_rls, c.relforcerowsecurity as forces_rls,
  c.relpersistence = 'u' as is_unlogged,
  case c.relreplident
    when 'd' then 'default' when 'n' then 'nothing' when 'f' then 'full'
    else 'index ' || (
      select i.relname from pg_index x join pg_class i on i.oid = x.indexrelid
      where x.indrelid = c.oid and x.indisreplident)
  end as replica_identity,
  (
    select s.srvname from pg_foreign_table f
    join pg_foreign_server s on s.oid = f.ftserver
    where f.ftrelid = c.oid
  ) as server,
  array(
    select unnest(f.ftoptions) from pg_foreign_table f where f.ftrelid = c.oid
    union all
    select format('%%s.%%s', a.attname, unnest(a.attfdwoptions)) from pg_attribute a
    where a.attrelid = c.oid and a.attfdwoptions is not null
    order by 1) as server_options,
  pg_get_partkeydef(c.oid) as partition_key,
  pg_get_expr(c.relpartbound, c.oid) as partition_bound,
  array(
    select h.inhparent::regclass::text from pg_inherits h
    where h.inhrelid = c.oid order by h.inhseqno) as parents,
  case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) end as definition,
  obj_description(c.oid, 'pg_class') as comment
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = any (%(schemas)s)
  and c.relkind in ('r', 'p', 'f', 'v', 'm')
  and not exists (
    select from pg_depend d
    where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
order by n.nspname, c.relname
