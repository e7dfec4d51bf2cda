"""Schema auth of a fresh project."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.local import catalogue

if TYPE_CHECKING:
    from tests.databases import Database

TOKEN = "character varying(255)"
MOMENT = "timestamp with time zone"

# Section 2.1.
USERS = {
    "instance_id": "uuid",
    "id": "uuid not null",
    "aud": TOKEN,
    "role": TOKEN,
    "email": TOKEN,
    "encrypted_password": TOKEN,
    "email_confirmed_at": MOMENT,
    "invited_at": MOMENT,
    "confirmation_token": TOKEN,
    "confirmation_sent_at": MOMENT,
    "recovery_token": TOKEN,
    "recovery_sent_at": MOMENT,
    "email_change_token_new": TOKEN,
    "email_change": TOKEN,
    "email_change_sent_at": MOMENT,
    "last_sign_in_at": MOMENT,
    "raw_app_meta_data": "jsonb",
    "raw_user_meta_data": "jsonb",
    "is_super_admin": "boolean",
    "created_at": MOMENT,
    "updated_at": MOMENT,
    "phone": "text",
    "phone_confirmed_at": MOMENT,
    "phone_change": "text default ''::text",
    "phone_change_token": f"{TOKEN} default ''::character varying",
    "phone_change_sent_at": MOMENT,
    "confirmed_at": f"{MOMENT} generated LEAST(email_confirmed_at, phone_confirmed_at)",
    "email_change_token_current": f"{TOKEN} default ''::character varying",
    "email_change_confirm_status": "smallint default 0",
    "banned_until": MOMENT,
    "reauthentication_token": f"{TOKEN} default ''::character varying",
    "reauthentication_sent_at": MOMENT,
    "is_sso_user": "boolean not null default false",
    "deleted_at": MOMENT,
    "is_anonymous": "boolean not null default false",
}

# Section 2.2.
TABLES = {
    "identities": "provider_id user_id identity_data provider last_sign_in_at created_at updated_at"
    " email id",
    "sessions": "id user_id created_at updated_at factor_id aal not_after refreshed_at user_agent"
    " ip tag oauth_client_id refresh_token_hmac_key refresh_token_counter scopes",
    "refresh_tokens": "instance_id id token user_id revoked created_at updated_at parent"
    " session_id",
    "one_time_tokens": "id user_id token_type token_hash relates_to created_at updated_at",
    "mfa_factors": "id user_id friendly_name factor_type status created_at updated_at secret phone"
    " last_challenged_at web_authn_credential web_authn_aaguid last_webauthn_challenge_data",
    "mfa_challenges": "id factor_id created_at verified_at ip_address otp_code"
    " web_authn_session_data",
    "mfa_amr_claims": "session_id created_at updated_at authentication_method id",
    "flow_state": "id user_id auth_code code_challenge_method code_challenge provider_type"
    " provider_access_token provider_refresh_token created_at updated_at authentication_method"
    " auth_code_issued_at invite_token referrer oauth_client_state_id linking_target_id"
    " email_optional",
    "audit_log_entries": "instance_id id payload created_at ip_address",
    "schema_migrations": "version",
}

OTHERS = [
    "instances",
    "sso_providers",
    "sso_domains",
    "saml_providers",
    "saml_relay_states",
    "oauth_clients",
    "oauth_authorizations",
    "oauth_consents",
    "oauth_client_states",
    "custom_oauth_providers",
    "webauthn_credentials",
    "webauthn_challenges",
]

# The columns whose type somebody is bound to get wrong.
TYPES = [
    ("identities", "email", "text generated lower((identity_data ->> 'email'::text))"),
    ("identities", "id", "uuid not null default gen_random_uuid()"),
    ("sessions", "refreshed_at", "timestamp without time zone"),
    ("sessions", "aal", "auth.aal_level"),
    ("refresh_tokens", "user_id", TOKEN),
    ("one_time_tokens", "created_at", "timestamp without time zone not null default now()"),
    ("audit_log_entries", "payload", "json"),
    (
        "audit_log_entries",
        "ip_address",
        "character varying(64) not null default ''::character varying",
    ),
    ("schema_migrations", "version", "character varying(255) not null"),
]

ENUMS = {
    "aal_level": ["aal1", "aal2", "aal3"],
    "one_time_token_type": [
        "confirmation_token",
        "reauthentication_token",
        "recovery_token",
        "email_change_token_new",
        "email_change_token_current",
        "phone_change_token",
    ],
    "code_challenge_method": ["s256", "plain"],
    "factor_type": ["totp", "webauthn", "phone"],
    "factor_status": ["unverified", "verified"],
}

UNIQUE = [
    ("users", "(phone)"),
    ("users", "(email) WHERE (NOT is_sso_user)"),
    ("identities", "(provider_id, provider)"),
    ("refresh_tokens", "(token)"),
    ("one_time_tokens", "(user_id, token_type)"),
    ("mfa_factors", "(last_challenged_at)"),
    ("mfa_amr_claims", "(session_id, authentication_method)"),
    *[
        ("users", f"({column}) WHERE (({column})::text !~ '^[0-9 ]*$'::text)")
        for column in (
            "confirmation_token",
            "recovery_token",
            "email_change_token_current",
            "email_change_token_new",
            "reauthentication_token",
        )
    ],
]

OWNED_BY_A_PERSON = ["identities", "sessions", "one_time_tokens", "mfa_factors"]

SOMEBODY = UUID("8d0fd2b3-9ca7-4d9e-a95f-9e13dded323e")
CLAIMS = {"sub": str(SOMEBODY), "role": "authenticated", "email": "ada@example.com"}

# Section 2.3: what the settings hold, and what auth.uid(), auth.role(), auth.email() make of it.
CALLERS = [
    ({}, (None, None, None)),
    ({"request.jwt.claims": ""}, (None, None, None)),
    ({"request.jwt.claims": json.dumps(CLAIMS)}, (SOMEBODY, "authenticated", "ada@example.com")),
    ({"request.jwt.claims": '{"role": "anon"}'}, (None, "anon", None)),
    (
        {
            "request.jwt.claim.sub": "",
            "request.jwt.claim.role": "",
            "request.jwt.claim.email": "",
            "request.jwt.claims": json.dumps(CLAIMS),
        },
        (SOMEBODY, "authenticated", "ada@example.com"),
    ),
    (
        {
            "request.jwt.claim.sub": str(SOMEBODY),
            "request.jwt.claim.role": "service_role",
            "request.jwt.claim.email": "old@example.com",
            "request.jwt.claims": '{"sub": "not read", "role": "not read", "email": "not read"}',
        },
        (SOMEBODY, "service_role", "old@example.com"),
    ),
]


def test_a_user_has_the_columns_of_the_reference(fresh: Database) -> None:
    assert catalogue.columns(fresh, "auth.users") == USERS


@pytest.mark.parametrize(("table", "columns"), TABLES.items())
def test_a_table_of_auth_has_the_columns_of_the_reference(
    fresh: Database, table: str, columns: str
) -> None:
    assert set(catalogue.columns(fresh, f"auth.{table}")) == set(columns.split())


@pytest.mark.parametrize(("table", "column", "described"), TYPES)
def test_a_column_of_auth_has_the_type_of_the_reference(
    fresh: Database, table: str, column: str, described: str
) -> None:
    assert catalogue.columns(fresh, f"auth.{table}")[column] == described


@pytest.mark.parametrize("table", ["users", *TABLES, *OTHERS])
def test_a_table_of_auth_belongs_to_the_service_and_lets_nobody_in(
    fresh: Database, table: str
) -> None:
    [(secured, policies)] = fresh.run(
        "select relrowsecurity, (select count(*) from pg_policy where polrelid = c.oid) "
        "from pg_class as c where oid = %s::regclass",
        (f"auth.{table}",),
    )
    api = [catalogue.privileges(fresh, f"auth.{table}", role) for role in ("anon", "service_role")]

    assert catalogue.owner(fresh, f"auth.{table}") == "supabase_auth_admin"
    assert (secured, policies, api) == (True, 0, [set(), set()])


@pytest.mark.parametrize("role", ["postgres", "dashboard_user"])
@pytest.mark.parametrize(
    "table", ["users", *[t for t in TABLES if t != "schema_migrations"], *OTHERS]
)
def test_postgres_and_the_dashboard_may_write_a_table_of_auth(
    fresh: Database, table: str, role: str
) -> None:
    granted = catalogue.privileges(fresh, f"auth.{table}", role)

    assert granted >= {"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"}


@pytest.mark.parametrize(("enum", "labels"), ENUMS.items())
def test_an_enum_of_auth_has_its_labels_in_order(
    fresh: Database, enum: str, labels: list[str]
) -> None:
    [(found,)] = fresh.run(
        "select array_agg(enumlabel::text order by enumsortorder) from pg_enum "
        "where enumtypid = %s::regtype",
        (f"auth.{enum}",),
    )

    assert found == labels


@pytest.mark.parametrize(("table", "described"), UNIQUE)
def test_a_table_of_auth_keeps_apart_what_must_differ(
    fresh: Database, table: str, described: str
) -> None:
    found = fresh.run(
        "select pg_get_indexdef(indexrelid) from pg_index "
        "where indrelid = %s::regclass and indisunique",
        (f"auth.{table}",),
    )

    assert any(definition.endswith(f"USING btree {described}") for (definition,) in found)


@pytest.mark.parametrize("table", OWNED_BY_A_PERSON)
def test_what_is_a_persons_goes_with_them(fresh: Database, table: str) -> None:
    found = fresh.run(
        "select confdeltype from pg_constraint "
        "where conrelid = %s::regclass and confrelid = 'auth.users'::regclass",
        (f"auth.{table}",),
    )

    assert found == [("c",)]


@pytest.mark.parametrize(("settings", "answers"), CALLERS)
def test_the_caller_is_who_the_settings_say(
    fresh: Database, settings: dict[str, str], answers: tuple[object, ...]
) -> None:
    with fresh.connect("authenticator", autocommit=False) as connection:
        for name, value in settings.items():
            connection.execute("select set_config(%s, %s, true)", (name, value))
        connection.execute("set local role anon")
        found = connection.execute("select auth.uid(), auth.role(), auth.email()").fetchone()

    assert found == answers


def test_a_caller_is_forgotten_when_his_transaction_ends(fresh: Database) -> None:
    with fresh.connect(autocommit=False) as connection:
        claim(connection, CLAIMS)
        connection.commit()
        found = connection.execute("select auth.uid(), auth.jwt()").fetchone()

    assert found == (None, None)


def test_a_caller_reads_all_his_claims(fresh: Database) -> None:
    with fresh.connect(autocommit=False) as connection:
        claim(connection, CLAIMS)
        found = connection.execute("select auth.jwt()").fetchone()

    assert found == (CLAIMS,)


def test_a_subject_that_is_no_uuid_is_an_error(fresh: Database) -> None:
    with fresh.connect(autocommit=False) as connection:
        claim(connection, {"sub": "somebody"})
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            connection.execute("select auth.uid()")


@pytest.mark.parametrize("function", ["uid", "role", "email", "jwt"])
def test_a_question_about_the_caller_is_stable_and_the_services(
    fresh: Database, function: str
) -> None:
    [found] = fresh.run(
        """
        select provolatile, prosecdef, proowner::regrole::text, l.lanname,
          has_function_privilege('anon', p.oid, 'execute')
        from pg_proc as p join pg_language as l on l.oid = prolang
        where pronamespace = 'auth'::regnamespace and proname = %s
        """,
        (function,),
    )

    assert found == ("s", False, "supabase_auth_admin", "sql", True)


def test_a_trigger_on_users_runs_as_the_service_with_no_rights_in_public(
    empty_database: Database,
) -> None:
    empty_database.run("create table public.profiles (id uuid)")
    empty_database.run(
        """
        create function public.profile() returns trigger language plpgsql as $$
        begin insert into public.profiles values (new.id); return new; end $$
        """
    )
    empty_database.run(
        "create trigger profile after insert on auth.users "
        "for each row execute function public.profile()"
    )

    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="profiles"):
        empty_database.run(
            "insert into auth.users (id) values (%s)", (uuid4(),), user="supabase_auth_admin"
        )


def test_a_definers_trigger_on_users_makes_a_profile(empty_database: Database) -> None:
    empty_database.run("create table public.profiles (id uuid)")
    empty_database.run(
        """
        create function public.profile() returns trigger
        language plpgsql security definer set search_path = '' as $$
        begin insert into public.profiles values (new.id); return new; end $$
        """
    )
    empty_database.run(
        "create trigger profile after insert on auth.users "
        "for each row execute function public.profile()"
    )
    somebody = uuid4()

    empty_database.run(
        "insert into auth.users (id) values (%s)", (somebody,), user="supabase_auth_admin"
    )

    assert empty_database.run("select id from public.profiles") == [(somebody,)]


def test_a_user_made_by_sql_can_be_checked_against_his_password(empty_database: Database) -> None:
    empty_database.run(
        "insert into auth.users (id, encrypted_password) "
        "values (gen_random_uuid(), crypt('secret', gen_salt('bf', 4)))"
    )

    checked = empty_database.run(
        "select encrypted_password = crypt('secret', encrypted_password), "
        "encrypted_password = crypt('guess', encrypted_password) from auth.users"
    )
    assert checked == [(True, False)]


def test_two_people_cannot_share_an_address(empty_database: Database) -> None:
    add = "insert into auth.users (id, email) values (gen_random_uuid(), 'ada@example.com')"
    empty_database.run(add)

    with pytest.raises(psycopg.errors.UniqueViolation):
        empty_database.run(add)


def claim(connection: psycopg.Connection, claims: dict[str, str]) -> None:
    connection.execute("select set_config('request.jwt.claims', %s, true)", (json.dumps(claims),))
