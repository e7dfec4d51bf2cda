"""What postgres may and may not do on the platform, by doing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.local import catalogue

if TYPE_CHECKING:
    from tests.databases import Database

POLICY_TABLES = [
    "auth.audit_log_entries",
    "auth.flow_state",
    "auth.identities",
    "auth.instances",
    "auth.mfa_amr_claims",
    "auth.mfa_challenges",
    "auth.mfa_factors",
    "auth.oauth_clients",
    "auth.one_time_tokens",
    "auth.refresh_tokens",
    "auth.saml_providers",
    "auth.saml_relay_states",
    "auth.sessions",
    "auth.sso_domains",
    "auth.sso_providers",
    "auth.users",
    "realtime.messages",
    "realtime.subscription",
    "storage.buckets",
    "storage.objects",
    "storage.s3_multipart_uploads",
    "storage.s3_multipart_uploads_parts",
]

# Tables of a service that are not on the platform's list.
CLOSED_TABLES = ["auth.oauth_consents", "auth.webauthn_credentials", "realtime.messages_default"]

BOOKKEEPING = ["auth.schema_migrations", "storage.migrations", "realtime.schema_migrations"]

NOTHING_TO_DO = """
  create function public.f() returns trigger language plpgsql as 'begin return new; end'
"""

# Each is done in a database of its own, statement after statement, as postgres.
ALLOWED = {
    "trusted extension": ["create extension hstore", "drop extension hstore"],
    "own role with login": [
        "create role reader login password 'reader'",
        "grant authenticated, anon, service_role to reader",
        "drop role reader",
    ],
    "schema and database objects": ["create schema attic", "create table attic.box (id int)"],
    "publication": [
        "create table public.notes (id int)",
        "create publication mine for table public.notes",
        "alter publication supabase_realtime add table public.notes",
    ],
    "limits of the API roles": [
        "alter role anon set statement_timeout = '5s'",
        "alter role anon set statement_timeout = '3s'",
    ],
    "settings of PostgREST": [
        "alter role authenticator set pgrst.db_schemas = 'public, shared'",
        "alter role authenticator reset pgrst.db_schemas",
    ],
    "session_replication_role": ["set session_replication_role = replica"],
    "auto_explain": ["set auto_explain.log_min_duration = 100"],
    "pgaudit": ["set pgaudit.log = 'ddl'"],
    "log settings": ["set log_statement = 'all'", "set log_min_duration_statement = 10"],
    "reading the configuration again": ["select pg_reload_conf()"],
    "foreign key to a user": [
        "create table public.notes (owner uuid references auth.users (id) on delete cascade)",
        "insert into auth.users (id) values ('8d0fd2b3-9ca7-4d9e-a95f-9e13dded323e')",
        "insert into public.notes values ('8d0fd2b3-9ca7-4d9e-a95f-9e13dded323e')",
        "delete from auth.users",
        "drop table public.notes",
    ],
    "foreign key added and dropped later": [
        "create table public.notes (session uuid)",
        "alter table public.notes add foreign key (session) references auth.oauth_consents (id)",
        "alter table public.notes drop constraint notes_session_fkey",
    ],
    "trigger on users": [
        NOTHING_TO_DO,
        "create trigger t after insert on auth.users for each row execute function public.f()",
        "drop trigger t on auth.users",
    ],
    "trigger that goes with its function": [
        NOTHING_TO_DO,
        "create trigger t after insert on storage.objects for each row execute function public.f()",
        "drop function public.f() cascade",
    ],
    "policy that goes with its function": [
        "create function public.mine() returns boolean language sql return true",
        "create policy p on storage.objects using (public.mine())",
        "drop function public.mine() cascade",
    ],
    "rows of auth": [
        "insert into auth.users (id, email) values (gen_random_uuid(), 'ada@example.com')",
        "update auth.users set email = 'ben@example.com'",
        "delete from auth.users",
    ],
    "rows of storage": [
        "insert into storage.buckets (id, name) values ('files', 'files')",
        "insert into storage.objects (bucket_id, name) values ('files', 'a.txt')",
        "update storage.objects set name = 'b.txt'",
    ],
    "deleting from storage by saying so": [
        "insert into storage.buckets (id, name) values ('files', 'files')",
        "set storage.allow_delete_query = 'true'",
        "delete from storage.buckets",
    ],
    "grants on storage": [
        "create role reader",
        "grant usage on schema storage to reader",
        "grant select on storage.objects to reader",
        "revoke select on storage.objects from reader",
        "revoke usage on schema storage from reader",
        "drop role reader",
    ],
    "reading how far a service has migrated": [
        "select * from auth.schema_migrations",
        "select * from realtime.schema_migrations",
    ],
    "vault": [
        "select vault.create_secret('secret', 'name')",
        "select decrypted_secret from vault.decrypted_secrets",
    ],
    "seeing rows past their policies": [
        "create table public.notes (id int)",
        "alter table public.notes enable row level security",
        "alter table public.notes force row level security",
        "insert into public.notes values (1)",
    ],
}

NOT_OWNER = "must be owner of"
NOT_IN_SCHEMA = "permission denied for schema"

# Each fails with 42501 and these words.
REFUSED = [
    ("create role root superuser", "permission denied to create role|must be superuser"),
    ("alter system set work_mem = '8MB'", "permission denied to set parameter"),
    ("copy (select 1) to program 'true'", "to COPY to or from"),
    ("copy (select 1) to '/tmp/nowhere'", "to COPY to a file"),
    (
        "create function public.f() returns int language c as 'nowhere'",
        "permission denied for language c",
    ),
    ("alter role postgres superuser", "permission denied to alter role|must be superuser"),
    ("alter role supabase_admin password 'mine'", "permission denied to alter role|must be super"),
    ("drop role supabase_admin", "permission denied to drop role|must be superuser"),
    ("create table auth.notes (id int)", NOT_IN_SCHEMA),
    ("create table storage.notes (id int)", NOT_IN_SCHEMA),
    ("create table realtime.notes (id int)", NOT_IN_SCHEMA),
    ("create table vault.notes (id int)", NOT_IN_SCHEMA),
    ("create view auth.people as select * from auth.users", NOT_IN_SCHEMA),
    ("create function auth.tenant() returns int language sql as 'select 1'", NOT_IN_SCHEMA),
    (
        "create or replace function auth.uid() returns uuid language sql as 'select null::uuid'",
        NOT_IN_SCHEMA,
    ),
    ("create type storage.mood as enum ('calm')", NOT_IN_SCHEMA),
    ("create index on auth.users (phone)", NOT_IN_SCHEMA),
    ("create index on storage.objects (owner_id)", NOT_IN_SCHEMA),
    ("create index on realtime.messages (topic)", NOT_IN_SCHEMA),
    ("create table public.notes (id int); alter table public.notes set schema auth", NOT_IN_SCHEMA),
    ("drop table auth.users cascade", f"{NOT_OWNER} table"),
    ("drop table storage.objects", f"{NOT_OWNER} table"),
    ("drop table realtime.messages", f"{NOT_OWNER} table"),
    ("drop index auth.users_instance_id_idx", f"{NOT_OWNER} index users_instance_id_idx"),
    ("drop function auth.uid()", f"{NOT_OWNER} function uid"),
    ("drop schema auth cascade", f"{NOT_OWNER} schema auth"),
    ("drop owned by supabase_storage_admin", NOT_OWNER),
    ("reassign owned by supabase_auth_admin to postgres", f"{NOT_IN_SCHEMA}|permission denied"),
    ("alter table auth.users add column nickname text", f"{NOT_OWNER} table users"),
    ("alter table auth.users drop column phone", f"{NOT_OWNER} table users"),
    ("alter table auth.users drop constraint users_phone_key", f"{NOT_OWNER} table users"),
    ("alter table auth.users disable row level security", f"{NOT_OWNER} table users"),
    ("alter table auth.users owner to postgres", "permission denied|must be owner"),
    ("alter table auth.users rename to people", "permission denied|must be owner"),
    ("alter table storage.objects enable row level security", f"{NOT_OWNER} table objects"),
    ("alter table storage.objects disable trigger protect_objects_delete", f"{NOT_OWNER} table"),
    ("alter table storage.buckets alter column public set default true", f"{NOT_OWNER} table"),
    ("alter table realtime.messages enable row level security", f"{NOT_OWNER} table messages"),
    ("alter table realtime.messages detach partition realtime.messages_default", NOT_OWNER),
    ("alter function auth.uid() volatile", f"{NOT_OWNER} function uid"),
    ("alter type auth.factor_type add value 'smoke'", f"{NOT_OWNER} type factor_type"),
    ("comment on table auth.users is 'Ours.'", f"{NOT_OWNER} table users"),
    ("comment on column storage.objects.name is 'Ours.'", f"{NOT_OWNER} table objects"),
    ("comment on function realtime.topic() is 'Ours.'", f"{NOT_OWNER} function topic"),
    ("alter publication supabase_realtime add table auth.users", f"{NOT_OWNER} table users"),
    ("create table public.people () inherits (auth.users)", f"{NOT_OWNER} table users"),
    (
        "create rule quiet as on insert to auth.users do instead nothing",
        f"{NOT_OWNER} table users",
    ),
    ("delete from storage.objects", "Direct deletion from storage tables is not allowed"),
]

# Where vanilla PostgreSQL goes another way than the platform, and why.
DIFFERENCES = [
    (
        "create event trigger mine on sql_drop execute function extensions.pgrst_drop_watch()",
        False,
        "The platform lets postgres create event triggers; PostgreSQL only superusers.",
    ),
    (
        "create publication everything for all tables",
        False,
        "The same of publications for all tables.",
    ),
    (
        "alter role anon createdb",
        True,
        "The platform keeps its roles as they are; who may grant anon may alter it in PostgreSQL.",
    ),
]


@pytest.mark.parametrize("statements", ALLOWED.values(), ids=ALLOWED)
def test_postgres_may(empty_database: Database, statements: list[str]) -> None:
    with empty_database.connect() as connection:
        for statement in statements:
            connection.execute(statement.encode())


@pytest.mark.parametrize(("statement", "words"), REFUSED)
def test_postgres_may_not(fresh: Database, statement: str, words: str) -> None:
    with (
        fresh.connect() as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match=words),
    ):
        connection.execute(statement.encode())


@pytest.mark.parametrize(
    ("statement", "allowed", "reason"), DIFFERENCES, ids=[row[0] for row in DIFFERENCES]
)
def test_postgres_differs_from_the_platform_where_it_must(
    empty_database: Database, statement: str, allowed: bool, reason: str
) -> None:
    with empty_database.connect(autocommit=False) as connection:
        try:
            connection.execute(statement.encode())
        except psycopg.errors.InsufficientPrivilege:
            found = False
        else:
            found = True
        connection.rollback()

    assert found == allowed, reason


@pytest.mark.parametrize(
    "service", ["supabase_auth_admin", "supabase_storage_admin", "supabase_realtime_admin"]
)
def test_postgres_does_not_become_a_service(fresh: Database, service: str) -> None:
    if catalogue.version(fresh) < 16:
        pytest.skip("Before PostgreSQL 16 whoever has a role's rights may also become it.")

    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied to set role"):
        fresh.run(f"set role {service}")


@pytest.mark.parametrize("table", POLICY_TABLES)
def test_postgres_writes_the_policies_of_a_services_table(
    empty_database: Database, table: str
) -> None:
    with empty_database.connect() as connection:
        for statement in (
            f"create policy first on {table} for select to anon using (false)",
            f"alter policy first on {table} using (true)",
            f"alter policy first on {table} rename to second",
            f"drop policy second on {table}",
        ):
            connection.execute(statement.encode())


@pytest.mark.parametrize("table", POLICY_TABLES)
def test_postgres_hangs_triggers_on_a_services_table(empty_database: Database, table: str) -> None:
    with empty_database.connect() as connection:
        for statement in (
            NOTHING_TO_DO,
            f"create trigger t after insert on {table} for each row execute function public.f()",
            f"drop trigger t on {table}",
        ):
            connection.execute(statement.encode())


@pytest.mark.parametrize("table", POLICY_TABLES)
@pytest.mark.parametrize(
    "statement",
    [
        "alter table {} add column mine int",
        "alter table {} disable row level security",
        "comment on table {} is 'Ours.'",
        "drop table {} cascade",
    ],
)
def test_postgres_leaves_a_services_table_as_it_is(
    fresh: Database, table: str, statement: str
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="must be owner of table"):
        fresh.run(statement.format(table))


@pytest.mark.parametrize("table", [*CLOSED_TABLES, *BOOKKEEPING])
def test_postgres_writes_no_policy_of_other_tables(fresh: Database, table: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="must be owner of table"):
        fresh.run(f"create policy p on {table} using (true)")


@pytest.mark.parametrize("table", BOOKKEEPING)
@pytest.mark.parametrize(
    "statement",
    [
        "insert into {} default values",
        "update {} set {} = {}",
        "delete from {}",
        "truncate {}",
        "drop trigger refuse_bookkeeping on {}",
        "alter table {} disable trigger refuse_bookkeeping",
    ],
)
def test_postgres_does_not_write_what_a_service_has_migrated(
    fresh: Database, table: str, statement: str
) -> None:
    column = next(iter(catalogue.columns(fresh, table)))

    with pytest.raises(
        psycopg.errors.InsufficientPrivilege,
        match=r"permission denied for table|must be owner of table",
    ):
        fresh.run(statement.format(table, column, column))


@pytest.mark.parametrize(
    "statement",
    [
        "alter table auth.users add column mine int",
        "drop table auth.users cascade",
        "delete from auth.schema_migrations",
    ],
)
def test_replica_mode_opens_no_back_door(fresh: Database, statement: str) -> None:
    with fresh.connect() as connection:
        connection.execute("set session_replication_role = replica")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())


def test_a_function_of_postgres_opens_no_back_door(empty_database: Database) -> None:
    empty_database.run(
        """
        create function public.widen() returns void language plpgsql security definer as $$
        begin execute 'alter table auth.users add column mine int'; end $$
        """
    )

    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="must be owner of table users"):
        empty_database.run("select public.widen()", user="supabase_read_only_user")


def test_a_member_of_postgres_is_held_by_the_same_rules(fresh: Database) -> None:
    with fresh.connect("supabase_admin", autocommit=False) as connection:
        connection.execute("create role migrator in role postgres")
        connection.execute("set role migrator")
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="must be owner of table"):
            connection.execute("alter table auth.users add column mine int")


def test_a_grant_on_users_does_nothing_but_warn(empty_database: Database) -> None:
    warnings = []
    with empty_database.connect() as connection:
        connection.add_notice_handler(lambda notice: warnings.append(notice.message_primary))
        connection.execute("grant select on auth.users to anon, public")

    assert warnings == ['no privileges were granted for "users"'] * 2
    assert catalogue.privileges(empty_database, "auth.users", "anon") == set()


@pytest.mark.parametrize("user", ["supabase_admin", "supabase_auth_admin"])
def test_the_platform_itself_may_change_what_it_owns(empty_database: Database, user: str) -> None:
    empty_database.run("alter table auth.users add column mine int", user=user)

    assert "mine" in catalogue.columns(empty_database, "auth.users")


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
def test_the_api_roles_see_nothing_of_auth(fresh: Database, role: str) -> None:
    with fresh.connect("authenticator") as connection:
        connection.execute(f"set role {role}".encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied"):
            connection.execute("select * from auth.users")
