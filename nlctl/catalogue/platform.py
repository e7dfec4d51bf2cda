"""What belongs to the platform and not to the project: by name, as no catalogue says it."""

from __future__ import annotations

# Their services keep tables here that people may hang policies and triggers on.
SERVICES = ("auth", "storage", "realtime")

SCHEMAS = (
    *SERVICES,
    "information_schema",
    "extensions",
    "graphql",
    "graphql_public",
    "vault",
    "pgbouncer",
    "supabase_functions",
    "supabase_migrations",
    "net",
    "cron",
    "pgsodium",
    "pgsodium_masks",
    "pgtle",
    "_platform",
    "_realtime",
    "_analytics",
    "_supavisor",
    "nlctl",
    "procrastinate",  # the job queue, which has a keeper of its own
)

ROLES = (
    "supabase_admin",
    "supabase_auth_admin",
    "supabase_storage_admin",
    "supabase_realtime_admin",
    "supabase_functions_admin",
    "supabase_replication_admin",
    "supabase_etl_admin",
    "supabase_read_only_user",
    "supabase_superuser",
    "supabase_privileged_role",
    "dashboard_user",
    "pgbouncer",
)

# A project may have them without any file of ours asking for them.
EXTENSIONS = (
    "plpgsql",
    "pg_stat_statements",
    "pgcrypto",
    "uuid-ossp",
    "pgjwt",
    "supabase_vault",
    "pg_graphql",
    "pg_net",
    "pgsodium",
    "hypopg",
    "index_advisor",
    "supautils",
)
