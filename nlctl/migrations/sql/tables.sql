-- The history, made the way the Supabase CLI makes it; projects of old lack the last two columns.
create schema if not exists supabase_migrations;
create table if not exists supabase_migrations.schema_migrations (version text not null primary key);
alter table supabase_migrations.schema_migrations add column if not exists statements text[];
alter table supabase_migrations.schema_migrations add column if not exists name text;

-- What the CLI has no room for. The Data API never shows this schema, and nobody else is let in.
create schema if not exists nlctl;
revoke all on schema nlctl from public;
comment on schema nlctl is 'What the control plane remembers of this database.';

create table if not exists nlctl.project (
  is_only_row boolean primary key default true check (is_only_row),
  name text not null check (name <> ''),
  claimed_at timestamptz not null default now()
);
comment on table nlctl.project is 'The project this database belongs to; other projects'' files are refused.';

create table if not exists nlctl.migrations (
  version text primary key,
  name text not null,
  state text not null check (state in ('applied', 'failed')),
  sha256 text not null,
  source text not null,
  is_out_of_order boolean not null default false,
  duration_ms integer,
  applied_by text not null,
  applied_at timestamptz not null default clock_timestamp(),
  error text,
  constraint migrations_error_when_failed check ((state = 'failed') = (error is not null))
);
comment on table nlctl.migrations is
  'Beside each row of supabase_migrations.schema_migrations: the file as it was, who ran it, how long.';
comment on column nlctl.migrations.error is
  'Why a file without a transaction stopped half-way; such a row has no row in the history.';
