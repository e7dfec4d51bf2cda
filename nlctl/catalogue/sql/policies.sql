-- Policies of our tables, and of the platform's, which brings none of its own.
select p.polrelid as relation, n.nspname as schema, c.relname as table, p.polname as name,
  case p.polcmd
    when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete'
    else 'all'
  end as command,
  p.polpermissive as is_permissive,
  array(
    select case r when 0 then 'public' else pg_get_userbyid(r) end
    from unnest(p.polroles) r order by 1) as roles,
  pg_get_expr(p.polqual, p.polrelid) as using,
  pg_get_expr(p.polwithcheck, p.polrelid) as check,
  obj_description(p.oid, 'pg_policy') as comment
from pg_policy p
join pg_class c on c.oid = p.polrelid
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = any (%(schemas)s) or n.nspname = any (%(services)s)
order by n.nspname, c.relname, p.polname
