"""What people read and write of profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.callers import anonymous
from tests.migrations.identity.accounts import (
    EVERYBODY,
    STAFF,
    profile_of,
)

if TYPE_CHECKING:
    from tests.conftest import MakePerson
    from tests.databases import Database


def test_a_person_edits_his_names_avatar_and_profession(
    school: Database, member: MakePerson
) -> None:
    ada = member()
    ada.run(
        "update public.profiles set first_name = 'Ada', last_name = 'L', profession = 'Poète', "
        "avatar_path = 'ada/1.png' where id = %s",
        [ada.id],
    )
    profile = profile_of(school, ada.id)
    assert (profile["first_name"], profile["profession"]) == ("Ada", "Poète")


@pytest.mark.parametrize("column", ["user_type_id", "status", "email", "id", "created_at"])
@pytest.mark.parametrize("kind", EVERYBODY)
def test_nobody_writes_what_is_not_his_to_say(member: MakePerson, kind: str, column: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        member(kind).run(f"update public.profiles set {column} = {column}")


def test_a_client_cannot_upsert_himself_into_an_owner(member: MakePerson) -> None:
    ada = member()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ada.run(
            "insert into public.profiles (id, user_type_id) values (%s, 'owner') "
            "on conflict (id) do update set user_type_id = excluded.user_type_id",
            [ada.id],
        )


def test_a_client_cannot_delete_a_profile(member: MakePerson) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        member().run("delete from public.profiles where true")


def test_nobody_renames_somebody_else(school: Database, member: MakePerson) -> None:
    ada = member(first_name="Ada")
    member("owner").run("update public.profiles set first_name = 'X' where id = %s", [ada.id])
    assert profile_of(school, ada.id)["first_name"] == "Ada"


def test_an_avatar_is_never_an_address_elsewhere(member: MakePerson) -> None:
    for path in ("https://evil.test/a.png", "/etc/passwd", "../b/a.png"):
        with pytest.raises(psycopg.errors.CheckViolation):
            member().run("update public.profiles set avatar_path = %s where true", [path])


@pytest.mark.parametrize("kind", ["prof", "client"])
def test_a_client_sees_nobody_but_himself(member: MakePerson, kind: str) -> None:
    ada = member(kind)
    member()
    assert [row["id"] for row in ada.run("select id::text from public.profiles")] == [ada.id]


@pytest.mark.parametrize("kind", STAFF)
def test_staff_see_everybody(school: Database, member: MakePerson, kind: str) -> None:
    somebody, everybody = member(kind), "select count(*) from public.profiles"
    [(count,)] = school.run(everybody)
    assert somebody.run(everybody) == [{"count": count}]


def test_a_visitor_sees_nobody(school: Database) -> None:
    for table in ("profiles", "user_types", "role_permissions"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            anonymous(school).run(f"select * from public.{table}")
