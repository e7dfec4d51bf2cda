"""The list of people, for staff."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.callers import Refused
from tests.migrations.identity.accounts import sign_up

if TYPE_CHECKING:
    from tests.conftest import MakePerson
    from tests.databases import Database


def test_staff_page_through_everybody_newest_first(person: MakePerson) -> None:
    people = [person().id for _ in range(5)]
    admin = person("admin")
    seen: list[str] = []
    last: dict[str, Any] = {}
    while page := admin.rpc("list_users", p_limit=2, **last):
        seen += [row["id"] for row in page]
        last = {"p_before": page[-1]["created_at"], "p_before_id": page[-1]["id"]}
    assert seen == [admin.id, *reversed(people)]


def test_people_who_came_at_the_same_instant_are_all_listed(
    database: Database, person: MakePerson
) -> None:
    admin = person("admin")
    expected = {admin.id, *(person().id for _ in range(3))}
    database.run("update public.profiles set created_at = now()")
    [first, second] = admin.rpc("list_users", p_limit=2)
    rest = admin.rpc("list_users", p_before=second["created_at"], p_before_id=second["id"])
    assert {row["id"] for row in [first, second, *rest]} == expected


def test_a_page_can_start_from_an_instant_alone(database: Database, person: MakePerson) -> None:
    admin, ben = person("admin"), person()
    [(before,)] = database.run("select created_at from public.profiles where id = %s", [ben.id])
    listed = admin.rpc("list_users", p_before=before + timedelta(microseconds=1))
    assert [row["id"] for row in listed] == [ben.id, admin.id]


@pytest.mark.parametrize("search", ["zoé", "ZOÉ", "zoe mar", " Zoé ", "zoe.m@", "Zoé Mart"])
def test_staff_find_people_by_name_or_address(
    database: Database, person: MakePerson, search: str
) -> None:
    zoe = sign_up(database, "zoe.m@example.test", {"first_name": "Zoé", "last_name": "Martin"})
    person(first_name="Ben")
    found = person("admin").rpc("list_users", p_search=search)
    assert [row["id"] for row in found] == [zoe]


@pytest.mark.parametrize(
    "search", ["jean paul", "Jean-Paul", "l'etoile", "Étoile du cœur", "coeur"]
)
def test_people_are_found_however_their_names_are_written(
    database: Database, person: MakePerson, search: str
) -> None:
    named = {"first_name": "Jean-Paul", "last_name": "L’Étoile du Cœur"}
    paul = sign_up(database, "p@example.test", named)
    found = person("admin").rpc("list_users", p_search=search)
    assert [row["id"] for row in found] == [paul]


def test_two_letters_are_looked_for_where_a_word_begins(person: MakePerson) -> None:
    zoe = person(first_name="Zoé")
    person(first_name="Azow")
    found = person("admin").rpc("list_users", p_search="zo")
    assert [row["id"] for row in found] == [zoe.id]


def test_a_search_takes_wildcards_for_what_they_are(person: MakePerson) -> None:
    assert person("admin").rpc("list_users", p_search="%") == []


def test_staff_filter_people_by_type_and_status(person: MakePerson) -> None:
    admin, prof = person("admin"), person("prof")
    gone = person(status="suspended")
    by_type = admin.rpc("list_users", p_user_type_id="prof")
    by_status = admin.rpc("list_users", p_status="suspended")
    assert [row["id"] for row in by_type] == [prof.id]
    assert [row["id"] for row in by_status] == [gone.id]


@pytest.mark.parametrize("limit", [0, -1, 101, None])
def test_a_page_has_its_limits(person: MakePerson, limit: int | None) -> None:
    with pytest.raises(Refused) as refusal:
        person("admin").rpc("list_users", p_limit=limit)
    assert (refusal.value.code, refusal.value.details) == ("INVALID", "limit")
