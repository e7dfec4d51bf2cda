-- Schemas asked for; without a list, every one that neither PostgreSQL, the platform nor an
-- extension brought.
select n.nspname as name, pg_get_userbyid(n.nspowner) as owner,
  coalesce(n.nspacl, acldefault('n', n.nspowner))::text[] as grants,
  obj_description(n.oid, 'pg_namespace') as comment
from pg_namespace n
where case
  when %(schemas)s::text[] is not null then n.nspname = any (%(schemas)s)
  else n.nspname !~ '^pg_'
    and n.nspname <> all (%(platform)s)
    and not exists (
      select from pg_depend
      where classid = 'pg_namespace'::regclass and objid = n.oid and deptype = 'e'
    )
end
order by n.nspname
