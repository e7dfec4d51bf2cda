select n.nspname as schema, c.relname as name, format_type(s.seqtypid, null) as type,
  s.seqstart as start, s.seqmin as minimum, s.seqmax as maximum, s.seqincrement as increment,
  s.seqcache as cache, s.seqcycle as cycles,
  (
    select format('%%s.%%I', d.refobjid::regclass, a.attname)
    from pg_depend d
    join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
    where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype in ('a', 'i')
      and d.refclassid = 'pg_class'::regclass
  ) as owned_by,
  exists (
    select from pg_depend d
    where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'i'
  ) as is_identity,
  pg_get_userbyid(c.relowner) as owner,
  coalesce(c.relacl, acldefault('s', c.relowner))::text[] as grants,
  obj_description(c.oid, 'pg_class') as comment
from pg_sequence s
join pg_class c on c.oid = s.seqrelid
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = any (%(schemas)s)
  and not exists (
    select from pg_depend d
    where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
order by n.nspname, c.relname
