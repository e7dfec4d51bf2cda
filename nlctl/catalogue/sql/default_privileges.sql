-- What new objects of people's roles are born with: everywhere (PostgreSQL's own defaults included,
-- so that withdrawing them shows), and in addition in one schema.
with kinds (letter, name) as (
  values ('r', 'tables'), ('S', 'sequences'), ('f', 'functions'), ('T', 'types'), ('n', 'schemas')
), roles as (
  select oid, rolname from pg_roles
  where rolname in ('postgres', 'anon', 'authenticated', 'service_role')
    or oid in (select defaclrole from pg_default_acl)
)
select r.rolname as role, null as schema, k.name as kind,
  coalesce(d.defaclacl, acldefault((case k.letter when 'T' then 'T' else lower(k.letter) end)::"char", r.oid))::text[] as grants
from roles r
cross join kinds k
left join pg_default_acl d
  on d.defaclrole = r.oid and d.defaclnamespace = 0 and d.defaclobjtype = k.letter::"char"
where r.rolname <> all (%(service_roles)s)
union all
select r.rolname, n.nspname, k.name, d.defaclacl::text[]
from pg_default_acl d
join roles r on r.oid = d.defaclrole
join pg_namespace n on n.oid = d.defaclnamespace
join kinds k on k.letter = d.defaclobjtype::text
where r.rolname <> all (%(service_roles)s) and n.nspname = any (%(schemas)s)
order by 1, 2 nulls first, 3
