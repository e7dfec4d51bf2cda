insert into realtime.subscription
  (subscription_id, entity, filters, claims, action_filter, selected_columns)
select
  %(id)s::uuid,
  format('%%I.%%I', schemaname, tablename)::regclass,
  array(
    select (name, operator::realtime.equality_op, value, is_negated)::realtime.user_defined_filter
    from unnest(
      %(names)s::text[], %(operators)s::text[], %(values)s::text[], %(negations)s::boolean[]
    ) as filter (name, operator, value, is_negated)
  ),
  %(claims)s::jsonb,
  %(action)s,
  %(columns)s::text[]
from pg_catalog.pg_publication_tables
where pubname = 'supabase_realtime'
  and %(schema)s::text in ('*', schemaname)
  and %(table)s::text in ('*', tablename)
on conflict (subscription_id, entity, filters, action_filter, coalesce(selected_columns, '{}'))
  do update set claims = excluded.claims
