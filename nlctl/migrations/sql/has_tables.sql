select
  to_regclass('supabase_migrations.schema_migrations') is not null as history,
  to_regclass('nlctl.migrations') is not null and to_regclass('nlctl.project') is not null as ours,
  (
    select count(*) = 2 from pg_attribute
    where attrelid = to_regclass('supabase_migrations.schema_migrations')
      and attname in ('statements', 'name')
      and not attisdropped
  ) as is_complete
