-- What the lints look at. Each of them goes on from here, with search_path empty, so that every
-- name that PostgreSQL writes has its schema.
with recursive
  ours as (
    select
      oid, nspname as name,
      nspname = any (string_to_array(current_setting('nlctl.exposed'), ',')) as is_exposed
    from pg_namespace
    where pg_get_userbyid(nspowner) in ('postgres', 'pg_database_owner')
      and nspname not in (
        'extensions', 'nlctl', 'procrastinate', 'supabase_functions', 'supabase_migrations'
      )
      and not exists (
        select from pg_depend
        where classid = 'pg_namespace'::regclass and objid = pg_namespace.oid and deptype = 'e'
      )
  ),
  relations as (
    select
      c.oid, c.relkind as kind, c.relacl as acl, c.relowner as owner, c.reloptions as options,
      c.relrowsecurity as has_rls, ours.is_exposed,
      format('%s %s', case c.relkind
        when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table'
        when 'S' then 'sequence' else 'table' end, c.oid::regclass) as label,
      obj_description(c.oid, 'pg_class') as comment
    from pg_class as c
    join ours on ours.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
      and not exists (
        select from pg_depend
        where classid = 'pg_class'::regclass and objid = c.oid and deptype = 'e'
      )
  ),
  tables as (
    select * from relations where kind in ('r', 'p')
  ),
  functions as (
    select
      p.oid, p.prokind as kind, p.proname as name, p.proacl as acl, p.proowner as owner, p.proconfig as settings,
      p.prosecdef as is_definer, p.prorettype = 'trigger'::regtype as is_trigger, ours.is_exposed,
      coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) as body,
      format('%s %s', case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate'
        else 'function' end, p.oid::regprocedure) as label
    from pg_proc as p
    join ours on ours.oid = p.pronamespace
    where not exists (
      select from pg_depend
      where classid = 'pg_proc'::regclass and objid = p.oid and deptype = 'e'
    )
  ),
  -- Ours, and those that the platform lets us write on its own tables.
  policies as (
    select
      p.oid, p.polname as name, p.polrelid as relation, p.polroles as roles,
      p.polpermissive as is_permissive,
      case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update'
        when 'd' then 'delete' else 'all' end as command,
      pg_get_expr(p.polqual, p.polrelid) as reads, pg_get_expr(p.polwithcheck, p.polrelid) as writes,
      concat(p.polqual::text, p.polwithcheck::text) as tree,
      -- Both conditions with every text in them emptied.
      regexp_replace(
        concat_ws(' ', pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)),
        '''(?:[^'']|'''')*''', '''''', 'g') as code,
      p.polrelid in (select oid from tables) as is_on_ours,
      format('policy %I on %s', p.polname, p.polrelid::regclass) as label
    from pg_policy as p
    join pg_class as c on c.oid = p.polrelid
    where c.relnamespace in (select oid from ours)
      or c.relnamespace in (to_regnamespace('storage'), to_regnamespace('realtime'))
  ),
  -- A policy without its subqueries, from the innermost parentheses outwards: what is left is
  -- asked of each row. Parentheses that stay become brackets.
  folds (policy, step, expression) as (
    select oid, 0, code from policies
    union all
    select
      policy, step + 1,
      regexp_replace(
        regexp_replace(expression, '\( *(?:SELECT|WITH)\M[^()]*\)', '?', 'g'),
        '\((?! *(?:SELECT|WITH)\M)([^()]*)\)', '[\1]', 'g')
    from folds
    where expression ~ '\(' and step < 100 -- a name may hold a parenthesis
  ),
  asked_of_each_row as (
    select distinct on (policy) policy, expression from folds order by policy, step desc
  )
