select p.pubname as name, pg_get_userbyid(p.pubowner) as owner, p.puballtables as is_for_all_tables,
  array_remove(array[
    case when p.pubinsert then 'insert' end, case when p.pubupdate then 'update' end,
    case when p.pubdelete then 'delete' end, case when p.pubtruncate then 'truncate' end
  ], null) as operations,
  p.pubviaroot as is_via_root,
  coalesce(to_jsonb(p) ->> 'pubgencols' = 's', false) as publishes_generated, -- since 18
  array(
    select s.pnnspid::regnamespace::text from pg_publication_namespace s
    where s.pnpubid = p.oid order by 1) as schemas,
  obj_description(p.oid, 'pg_publication') as comment
from pg_publication p
where p.pubname = 'supabase_realtime' or pg_get_userbyid(p.pubowner) <> all (%(service_roles)s)
order by p.pubname
