"""A profile follows its account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.migrations.identity.accounts import (
    NAMES,
    change_account,
    profile_of,
    sign_up,
)

if TYPE_CHECKING:
    from nlctl.project import Project
    from tests.conftest import MakePerson
    from tests.databases import Database


def test_a_newcomer_is_an_active_client_under_the_name_he_gave(database: Database) -> None:
    profile = profile_of(database, sign_up(database, "ada@example.test", NAMES))

    assert profile["email"] == "ada@example.test"
    assert (profile["first_name"], profile["last_name"]) == ("Ada", "Lovelace")
    assert (profile["user_type_id"], profile["status"]) == ("client", "active")


@pytest.mark.parametrize(
    "metadata",
    [
        {"user_type_id": "owner", "status": "invited", "role": "owner"},
        {"first_name": None},
        {"first_name": {"user_type_id": "owner"}},
        {"first_name": "A" * 5000},
        ["owner"],
        "owner",
        None,
    ],
)
def test_nothing_said_at_sign_up_makes_more_than_a_client(
    database: Database, metadata: Any
) -> None:
    profile = profile_of(database, sign_up(database, "eve@example.test", metadata))
    assert (profile["user_type_id"], profile["status"]) == ("client", "active")


def test_somebody_without_address_or_metadata_signs_up(database: Database) -> None:
    profile = profile_of(database, sign_up(database, None, None, phone="33612345678"))
    assert profile["email"] is None


def test_a_name_from_another_provider_is_understood(database: Database) -> None:
    said = {"given_name": " Zoé ", "family_name": ""}
    profile = profile_of(database, sign_up(database, "zoe@example.test", said))
    assert (profile["first_name"], profile["last_name"]) == ("Zoé", None)


def test_people_older_than_the_migrations_get_their_profile(
    empty_database: Database, project: Project
) -> None:
    from nlctl.migrations import runner

    user_id = sign_up(empty_database, "old@example.test", NAMES)
    name = project.default_name
    runner.up(empty_database.url, project.migrations(name), name)

    assert profile_of(empty_database, user_id)["first_name"] == "Ada"


def test_a_new_address_reaches_the_profile(database: Database, person: MakePerson) -> None:
    ada = person()
    change_account(database, ada.id, "email = 'new@example.test'")
    assert profile_of(database, ada.id)["email"] == "new@example.test"


def test_an_invited_person_is_active_once_the_address_is_confirmed(database: Database) -> None:
    user_id = sign_up(database, "ada@example.test", {})
    change_account(database, user_id, "invited_at = now()")
    assert profile_of(database, user_id)["status"] == "invited"

    change_account(database, user_id, "email_confirmed_at = now()")
    assert profile_of(database, user_id)["status"] == "active"


@pytest.mark.parametrize("end", ["banned_until = now() + interval '1 day'", "deleted_at = now()"])
def test_an_account_that_auth_closes_is_suspended(
    database: Database, person: MakePerson, end: str
) -> None:
    ada = person()
    change_account(database, ada.id, end)
    assert profile_of(database, ada.id)["status"] == "suspended"


def test_confirming_an_address_lifts_no_suspension(database: Database, person: MakePerson) -> None:
    ada = person(status="suspended")
    change_account(database, ada.id, "email_confirmed_at = null, invited_at = now()")
    change_account(database, ada.id, "email_confirmed_at = now()")
    assert profile_of(database, ada.id)["status"] == "suspended"


@pytest.mark.parametrize("column", ["email", "email_change", "phone"])
def test_auth_may_still_alter_its_own_columns(database: Database, column: str) -> None:
    """A trigger that names a column in its WHEN would stop the platform's migrations."""
    alteration = f"alter table auth.users alter column {column} type varchar(320)"
    database.run(alteration, user="supabase_admin")


def test_a_deleted_account_takes_its_profile_along(database: Database, person: MakePerson) -> None:
    ada = person()
    database.run("delete from auth.users where id = %s", [ada.id])
    assert database.run("select id from public.profiles where id = %s", [ada.id]) == []
