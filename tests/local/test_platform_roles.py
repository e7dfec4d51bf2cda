"""Roles of a fresh project: what each is, may do and has set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.local import catalogue

if TYPE_CHECKING:
    from tests.databases import Database

# Section 1.1. A role inherits unless it says NOINHERIT; whatever is not said it may not do.
ROLES = {
    "anon": "",
    "authenticated": "",
    "service_role": "BYPASSRLS",
    "authenticator": "LOGIN NOINHERIT",
    "postgres": "LOGIN CREATEDB CREATEROLE REPLICATION BYPASSRLS",
    "supabase_auth_admin": "LOGIN NOINHERIT",
    "supabase_storage_admin": "LOGIN NOINHERIT CREATEROLE",
    "supabase_realtime_admin": "LOGIN NOINHERIT CREATEROLE REPLICATION",
    "supabase_functions_admin": "LOGIN NOINHERIT CREATEROLE",
    "supabase_replication_admin": "LOGIN REPLICATION",
    "supabase_etl_admin": "LOGIN REPLICATION",
    "supabase_read_only_user": "LOGIN BYPASSRLS",
    "dashboard_user": "CREATEDB CREATEROLE REPLICATION",
    "pgbouncer": "LOGIN",
    "supabase_privileged_role": "",
}

# Section 1.2, but session_preload_libraries=safeupdate: PostgreSQL does not come with that module.
SETTINGS = {
    "anon": {"statement_timeout=3s"},
    "authenticated": {"statement_timeout=8s"},
    "authenticator": {"statement_timeout=8s", "lock_timeout=8s"},
    "service_role": set(),
    "postgres": {'search_path="$user", public, extensions'},
    "supabase_admin": {'search_path="$user", public, auth, extensions', "log_statement=none"},
    "supabase_auth_admin": {"search_path=auth", "idle_in_transaction_session_timeout=60000"},
    "supabase_storage_admin": {"search_path=storage"},
}

# Section 1.3: who connects, and whom they act as.
MAY_BECOME = [
    (service, role)
    for service in ("authenticator", "supabase_storage_admin", "supabase_realtime_admin")
    for role in ("anon", "authenticated", "service_role")
]

POSTGRES_MAY_GRANT = [
    "anon",
    "authenticated",
    "service_role",
    "authenticator",
    "pg_monitor",
    "pg_read_all_data",
    "pg_signal_backend",
]


@pytest.mark.parametrize(("role", "attributes"), ROLES.items())
def test_a_role_has_the_attributes_of_the_reference(
    fresh: Database, role: str, attributes: str
) -> None:
    [(found,)] = fresh.run(
        """
        select concat_ws(' ',
          case when rolsuper then 'SUPERUSER' end,
          case when rolcanlogin then 'LOGIN' end,
          case when not rolinherit then 'NOINHERIT' end,
          case when rolcreatedb then 'CREATEDB' end,
          case when rolcreaterole then 'CREATEROLE' end,
          case when rolreplication then 'REPLICATION' end,
          case when rolbypassrls then 'BYPASSRLS' end)
        from pg_roles where rolname = %s
        """,
        (role,),
    )

    assert set(found.split()) == set(attributes.split())


@pytest.mark.parametrize(("role", "settings"), SETTINGS.items())
def test_a_role_starts_with_its_settings(fresh: Database, role: str, settings: set[str]) -> None:
    found = fresh.run(
        "select unnest(setconfig) from pg_db_role_setting "
        "where setdatabase = 0 and setrole = %s::regrole",
        (role,),
    )

    assert {setting for (setting,) in found} == settings


@pytest.mark.parametrize(("service", "role"), MAY_BECOME)
def test_a_service_becomes_the_role_of_its_caller(fresh: Database, service: str, role: str) -> None:
    with fresh.connect(service) as connection:
        connection.execute(f"set role {role}".encode())
        became = connection.execute("select current_user").fetchone()

    assert became == (role,)


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
def test_authenticator_has_no_rights_of_its_callers_by_itself(fresh: Database, role: str) -> None:
    [(inherits,)] = fresh.run("select pg_has_role('authenticator', %s, 'usage')", (role,))

    assert not inherits


@pytest.mark.parametrize("role", POSTGRES_MAY_GRANT)
def test_postgres_may_pass_a_membership_on(fresh: Database, role: str) -> None:
    [(with_admin_option,)] = fresh.run(
        "select admin_option from pg_auth_members "
        "where roleid = %s::regrole and member = 'postgres'::regrole",
        (role,),
    )

    assert with_admin_option


def test_postgres_may_make_subscriptions_where_there_is_a_role_for_it(fresh: Database) -> None:
    [(exists, member)] = fresh.run(
        """
        select count(*), count(*) filter (where pg_has_role('postgres', oid, 'member'))
        from pg_roles where rolname = 'pg_create_subscription'
        """
    )

    assert (exists, member) == ((1, 1) if catalogue.version(fresh) >= 16 else (0, 0))


@pytest.mark.parametrize(
    "role", ["supabase_auth_admin", "supabase_storage_admin", "supabase_realtime_admin"]
)
def test_postgres_is_not_itself_a_member_of_a_service(fresh: Database, role: str) -> None:
    found = fresh.run(
        "select from pg_auth_members where roleid = %s::regrole and member = 'postgres'::regrole",
        (role,),
    )

    assert found == []


def test_the_read_only_user_reads_everything_and_writes_nothing(empty_database: Database) -> None:
    empty_database.run("create table public.notes as select 1 as id")

    with empty_database.connect("supabase_read_only_user") as reader:
        assert reader.execute("select id from public.notes").fetchall() == [(1,)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("insert into public.notes values (2)")


def test_the_limits_of_a_role_hold_when_it_connects(fresh: Database) -> None:
    with fresh.connect("authenticator") as connection:
        limits = connection.execute(
            "select current_setting('statement_timeout'), current_setting('lock_timeout')"
        ).fetchone()

    assert limits == ("8s", "8s")
