-- What few projects have. Words of an option that may be a secret are told by their fingerprint.
select 'statistics' as kind, n.nspname as schema, s.stxrelid::regclass::text as table,
  format('%%I.%%I', n.nspname, s.stxname) as name, pg_get_statisticsobjdef(s.oid) as definition, pg_get_userbyid(s.stxowner) as owner,
  obj_description(s.oid, 'pg_statistic_ext') as comment
from pg_statistic_ext s
join pg_namespace n on n.oid = s.stxnamespace
where n.nspname = any (%(schemas)s)
union all
select 'collation', n.nspname, null, format('%%I.%%I', n.nspname, c.collname),
  concat_ws(' ', c.collprovider, c.collcollate, c.collctype,
    coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale'),
    case when not c.collisdeterministic then 'not deterministic' end),
  pg_get_userbyid(c.collowner), obj_description(c.oid, 'pg_collation')
from pg_collation c
join pg_namespace n on n.oid = c.collnamespace
where n.nspname = any (%(schemas)s)
union all
select 'operator', n.nspname, null, o.oid::regoperator::text,
  concat_ws(', ', o.oprcode::text, 'commutator ' || nullif(o.oprcom, 0)::regoperator,
    'negator ' || nullif(o.oprnegate, 0)::regoperator),
  pg_get_userbyid(o.oprowner), obj_description(o.oid, 'pg_operator')
from pg_operator o
join pg_namespace n on n.oid = o.oprnamespace
where n.nspname = any (%(schemas)s)
  and not exists (
    select from pg_depend
    where classid = 'pg_operator'::regclass and objid = o.oid and deptype = 'e')
union all
select 'cast', null, null, format('(%%s as %%s)', c.castsource::regtype, c.casttarget::regtype),
  concat_ws(' ', case c.castmethod
      when 'f' then 'by ' || c.castfunc::regprocedure when 'i' then 'by its text' else 'as it is' end,
    case c.castcontext when 'i' then 'implicit' when 'a' then 'in assignments' else 'explicit' end),
  null, obj_description(c.oid, 'pg_cast')
from pg_cast c
left join pg_proc f on f.oid = c.castfunc
where exists (
    select from pg_type t
    join pg_namespace n on n.oid = t.typnamespace
    where t.oid in (c.castsource, c.casttarget) and n.nspname = any (%(schemas)s)
    union all
    select from pg_namespace n where n.oid = f.pronamespace and n.nspname = any (%(schemas)s))
  and not exists (
    select from pg_depend
    where classid = 'pg_cast'::regclass and objid = c.oid and deptype in ('e', 'i'))
union all
select 'text search configuration', n.nspname, null, format('%%I.%%I', n.nspname, c.cfgname),
  (
    select string_agg(format('%%s by %%s', token.alias, m.mapdict::regdictionary), ', '
      order by m.maptokentype, m.mapseqno)
    from pg_ts_config_map m
    join lateral ts_token_type(c.cfgparser) token on token.tokid = m.maptokentype
    where m.mapcfg = c.oid
  ),
  pg_get_userbyid(c.cfgowner), obj_description(c.oid, 'pg_ts_config')
from pg_ts_config c
join pg_namespace n on n.oid = c.cfgnamespace
where n.nspname = any (%(schemas)s)
union all
select 'text search dictionary', n.nspname, null, format('%%I.%%I', n.nspname, d.dictname),
  concat_ws(', ', t.tmplname, d.dictinitoption),
  pg_get_userbyid(d.dictowner), obj_description(d.oid, 'pg_ts_dict')
from pg_ts_dict d
join pg_ts_template t on t.oid = d.dicttemplate
join pg_namespace n on n.oid = d.dictnamespace
where n.nspname = any (%(schemas)s)
  and not exists (
    select from pg_depend
    where classid = 'pg_ts_dict'::regclass and objid = d.oid and deptype = 'e')
union all
select 'server', null, null, format('%%I', s.srvname),
  concat_ws(', ', w.fdwname, (
    select string_agg(format('%%s %%s', option_name, case
      when option_name ~* 'key|token|secret|password' then left(md5(option_value), 8)
      else option_value end), ', ' order by option_name)
    from pg_options_to_table(s.srvoptions)
  )),
  pg_get_userbyid(s.srvowner), obj_description(s.oid, 'pg_foreign_server')
from pg_foreign_server s
join pg_foreign_data_wrapper w on w.oid = s.srvfdw
where not exists (
  select from pg_depend
  where classid = 'pg_foreign_server'::regclass and objid = s.oid and deptype = 'e')
order by 1, 3
