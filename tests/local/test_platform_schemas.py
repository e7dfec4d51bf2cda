"""Schemas, default privileges, settings and triggers of a fresh project (reference 1.4 to 1.8)."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest

from nlctl.local import platform
from tests import databases

if TYPE_CHECKING:
    from nlctl.local.cluster import Cluster
    from tests.databases import Database

API = {"anon", "authenticated", "service_role"}

# Section 1.4: schema, owner, who has USAGE, whether postgres may CREATE in it.
SCHEMAS = [
    ("public", "pg_database_owner", {"postgres", *API}, True),
    ("extensions", "postgres", {"postgres", "dashboard_user", *API}, True),
    ("auth", "supabase_admin", {"postgres", "dashboard_user", "supabase_auth_admin", *API}, False),
    ("storage", "supabase_admin", {"postgres", "dashboard_user", *API}, False),
    ("realtime", "supabase_admin", {"postgres", *API}, False),
    ("graphql", "supabase_admin", {"postgres", *API}, False),
    ("graphql_public", "supabase_admin", {"postgres", *API}, False),
    ("vault", "supabase_admin", {"postgres", "service_role"}, False),
    ("supabase_functions", "supabase_admin", {"postgres", *API}, False),
    ("supabase_migrations", "postgres", {"postgres"}, True),
    ("_realtime", "supabase_admin", set(), False),
    ("pgbouncer", "supabase_admin", set(), False),
]

PEOPLE = {"postgres", "dashboard_user", "supabase_auth_admin", *API}

# Section 1.6, after the change of 2026: who creates where, and who may then use a new table.
DEFAULT_PRIVILEGES = [
    ("postgres", "public", set()),
    ("postgres", "storage", {"postgres", *API}),
    ("supabase_auth_admin", "auth", {"postgres", "dashboard_user"}),
    ("supabase_admin", "realtime", {"postgres", "dashboard_user"}),
    ("supabase_admin", "extensions", {"postgres"}),
    ("supabase_admin", "graphql", {"postgres", *API}),
    ("supabase_admin", "graphql_public", {"postgres", *API}),
]


@pytest.mark.parametrize(("schema", "owner", "users", "creates"), SCHEMAS)
def test_a_schema_is_owned_and_open_as_the_reference_says(
    fresh: Database, schema: str, owner: str, users: set[str], creates: bool
) -> None:
    [(found_owner, postgres_creates)] = fresh.run(
        "select nspowner::regrole::text, has_schema_privilege('postgres', oid, 'create') "
        "from pg_namespace where nspname = %s",
        (schema,),
    )
    found_users = fresh.run(
        """
        select grantee::regrole::text
        from pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner)))
        where nspname = %s and privilege_type = 'USAGE'
        """,
        (schema,),
    )

    found = {name for (name,) in found_users} & PEOPLE
    assert (found_owner, found, postgres_creates) == (owner, users, creates)


@pytest.mark.parametrize("schema", ["storage", "realtime"])
def test_postgres_may_let_others_into_a_service_schema(fresh: Database, schema: str) -> None:
    [(may,)] = fresh.run(
        "select has_schema_privilege('postgres', %s, 'usage with grant option')", (schema,)
    )

    assert may


@pytest.mark.parametrize(("creator", "schema", "granted"), DEFAULT_PRIVILEGES)
def test_new_tables_are_granted_to_nobody_else(
    fresh: Database, creator: str, schema: str, granted: set[str]
) -> None:
    found = fresh.run(
        """
        select distinct grantee::regrole::text
        from pg_default_acl, aclexplode(defaclacl)
        where defaclrole = %s::regrole and defaclnamespace = %s::regnamespace
          and defaclobjtype = 'r' and grantee <> defaclrole
        """,
        (creator, schema),
    )

    assert {name for (name,) in found} == granted - {creator}


@pytest.mark.parametrize("role", sorted(API))
@pytest.mark.parametrize(
    "privilege", ["select", "insert", "update", "delete", "truncate", "references", "trigger"]
)
def test_a_new_table_in_public_is_closed_until_it_is_granted(
    empty_database: Database, role: str, privilege: str
) -> None:
    empty_database.run("create table public.notes (id bigserial)")

    [(may,)] = empty_database.run(
        "select has_table_privilege(%s, 'public.notes', %s)", (role, privilege)
    )
    assert not may


@pytest.mark.parametrize("role", sorted(API))
def test_a_new_sequence_in_public_is_closed_until_it_is_granted(
    empty_database: Database, role: str
) -> None:
    empty_database.run("create sequence public.numbers")

    [(may,)] = empty_database.run(
        "select has_sequence_privilege(%s, 'public.numbers', 'usage,select,update')", (role,)
    )
    assert not may


def test_a_new_function_is_open_to_public_alone(empty_database: Database) -> None:
    empty_database.run("create function public.answer() returns int return 42")

    granted = empty_database.run(
        """
        select grantee::regrole::text
        from pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner)))
        where pg_proc.oid = 'public.answer()'::regprocedure and grantee <> proowner
        """
    )
    assert granted == [("-",)]


def test_the_history_of_migrations_is_as_the_supabase_cli_makes_it(fresh: Database) -> None:
    found = fresh.run(
        """
        select column_name, data_type, is_nullable from information_schema.columns
        where table_schema = 'supabase_migrations' and table_name = 'schema_migrations'
        order by ordinal_position
        """
    )

    assert found == [
        ("version", "text", "NO"),
        ("statements", "ARRAY", "YES"),
        ("name", "text", "YES"),
    ]


def test_the_realtime_publication_is_empty_and_belongs_to_postgres(fresh: Database) -> None:
    [publication] = fresh.run(
        """
        select pubowner::regrole::text, puballtables, pubinsert, pubupdate, pubdelete, pubtruncate,
          (select count(*) from pg_publication_tables where pubname = p.pubname)
        from pg_publication as p where pubname = 'supabase_realtime'
        """
    )

    assert publication == ("postgres", False, True, True, True, True, 0)


def test_a_database_belongs_to_postgres_and_keeps_utc(platform_template: Database) -> None:
    with platform_template.connect() as connection:
        found = connection.execute(
            """
            select datdba::regrole::text, current_setting('timezone'),
              current_setting('app.settings.jwt_exp')
            from pg_database where datname = current_database()
            """
        ).fetchone()

    assert found == ("postgres", "UTC", "3600")


HEARD = [
    ("create table public.notes (id int)", True),
    ("create function public.answer() returns int return 42", True),
    ("create view public.one as select 1", True),
    ("create type public.mood as enum ('calm')", True),
    ("create schema attic", True),
    ("comment on schema public is 'Ours.'", True),
    ("create policy everyone on storage.objects using (true)", False),
    ("create temp table notes (id int)", False),
    ("grant usage on schema public to anon", False),
    ("create index on supabase_migrations.schema_migrations (name)", False),
]


@pytest.mark.parametrize(("statement", "heard"), HEARD)
def test_the_data_api_hears_of_what_it_must_read_again(
    empty_database: Database, statement: str, heard: bool
) -> None:
    with empty_database.connect("authenticator") as listener:
        listener.execute("listen pgrst")
        empty_database.run(statement)
        listener.execute("select 1")
        messages = [message.payload for message in listener.notifies(timeout=0)]

    assert messages == (["reload schema"] if heard else [])


def test_the_data_api_hears_of_a_drop(empty_database: Database) -> None:
    empty_database.run("create table public.notes (id int)")
    with empty_database.connect("authenticator") as listener:
        listener.execute("listen pgrst")
        empty_database.run("drop table public.notes")
        listener.execute("select 1")
        messages = [message.payload for message in listener.notifies(timeout=0)]

    assert messages == ["reload schema"]


def test_a_webhook_is_recorded_and_does_not_stop_the_write(empty_database: Database) -> None:
    empty_database.run("create table public.notes (id int)")
    empty_database.run(
        """
        create trigger tell after insert on public.notes for each row
        execute function supabase_functions.http_request(
          'http://localhost/', 'POST', '{}', '{}', '1000')
        """
    )
    warnings = []
    with empty_database.connect() as connection:
        connection.add_notice_handler(lambda notice: warnings.append(notice.message_primary))
        connection.execute("insert into public.notes values (1)")

    assert empty_database.run("select hook_name, request_id from supabase_functions.hooks") == [
        ("tell", None)
    ]
    assert warnings == ["webhook tell was not sent: the local stack has no pg_net"]


def test_a_secret_is_kept_changed_and_read(empty_database: Database) -> None:
    [(secret,)] = empty_database.run("select vault.create_secret('first', 'key', 'A key.')")
    empty_database.run("select vault.update_secret(%s, 'second')", (secret,))

    kept = empty_database.run(
        "select name, description, decrypted_secret from vault.decrypted_secrets"
    )
    assert kept == [("key", "A key.", "second")]


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_a_secret_is_not_for_people(fresh: Database, role: str) -> None:
    with fresh.connect("authenticator") as connection:
        connection.execute(f"set role {role}".encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select * from vault.decrypted_secrets")


def test_installing_again_changes_nothing(empty_database: Database) -> None:
    before = installed(empty_database)

    platform.install(empty_database.admin_url)

    assert installed(empty_database) == before


def test_an_upgrade_runs_every_file_again_and_keeps_rows(empty_database: Database) -> None:
    person = uuid4()
    empty_database.run("insert into auth.users (id) values (%s)", (person,))
    before = catalogue_of(empty_database)
    empty_database.run("update _platform.files set sha256 = 'older'", user="supabase_admin")

    platform.install(empty_database.admin_url)

    assert catalogue_of(empty_database) == before
    assert empty_database.run("select id from auth.users") == [(person,)]


def test_databases_of_one_cluster_are_installed_at_once(cluster: Cluster) -> None:
    made = [databases.create(cluster) for _ in range(6)]
    failures: list[BaseException] = []

    def install(url: str) -> None:
        try:
            platform.install(url)
        except psycopg.Error as error:
            failures.append(error)

    # Each database twice: the second finds the first at work.
    threads = [
        threading.Thread(target=install, args=(database.admin_url,)) for database in made * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = {database.run("select count(*) from auth.users")[0] for database in made}
    for database in made:
        databases.drop(database)

    assert (failures, counts) == ([], {(0,)})


def installed(database: Database) -> list[tuple[str, str]]:
    return database.run(
        "select file, installed_at::text from _platform.files order by file", user="supabase_admin"
    )


def catalogue_of(database: Database) -> str:
    """Everything that people can see of the platform, rights included."""
    rows = database.run(
        r"""
        select kind, name, owner, array(select unnest(rights) order by 1)::text
        from (
          select 'class' as kind, oid::regclass::text as name, relowner::regrole::text as owner,
            relacl::text[] as rights, relnamespace as space
          from pg_class
          union all
          select 'function', oid::regprocedure::text, proowner::regrole::text, proacl::text[],
            pronamespace
          from pg_proc
          union all
          select 'schema', nspname, nspowner::regrole::text, nspacl::text[], null from pg_namespace
          union all
          select 'default', defaclnamespace::regnamespace || ' ' || defaclobjtype::text,
            defaclrole::regrole::text, defaclacl::text[], null
          from pg_default_acl
          union all
          select 'event trigger', evtname, evtowner::regrole::text, array[evtenabled::text], null
          from pg_event_trigger
          union all
          select 'member', roleid::regrole::text, member::regrole::text, array[admin_option::text],
            null
          from pg_auth_members
        ) as things
        where space is null or space::regnamespace::text !~ '^pg_'
        order by 1, 2, 3
        """,
        user="supabase_admin",
    )
    return json.dumps(rows, indent=1)
