"""Listings: folders and files in the first version, pages in the second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from nlctl.local.cluster import SUPERUSER
from tests.local.storage.services import ADA, refused

if TYPE_CHECKING:
    from tests.local.storage.services import Running, Somebody

NAMES = ["a.txt", "B.txt", "c_1.txt", "cx1.txt", "deep/one.txt", "deep/er/two.txt", "Photos/p.png"]
# What came within one millisecond is listed by its name.
SPREAD = """
set local session_replication_role = replica;
update storage.objects as object
set created_at = moment, updated_at = moment
from (
  select id, now() + row_number() over (order by created_at) * interval '1 s' as moment
  from storage.objects
) as spread
where object.id = spread.id;
"""


@pytest.fixture
def filled(storage: Running, server: Somebody) -> Somebody:
    """A server before a bucket with some objects."""
    fill(storage, server, NAMES)
    return server


def fill(storage: Running, server: Somebody, names: list[str]) -> None:
    """Upload objects, and have them come one after the other."""
    for name in names:
        server.upload(f"private/{name}")
    storage.database.run(SPREAD, user=SUPERUSER)


def names(somebody: Somebody, prefix: str = "", **options: Any) -> list[str]:
    body = {"prefix": prefix, **options}
    found = somebody.ask("POST", "/object/list/private", json=body)
    return [entry["name"] for entry in found.json()]


def pages(somebody: Somebody, **options: Any) -> tuple[list[str], list[str]]:
    """Names and folders of all pages."""
    objects, folders, cursor = [], [], None
    while True:
        body = {**options, **({"cursor": cursor} if cursor else {})}
        page = somebody.ask("POST", "/object/list-v2/private", json=body).json()
        objects += [entry["name"] for entry in page["objects"]]
        folders += [entry["name"] for entry in page["folders"]]
        cursor = page.get("nextCursor")
        assert page["hasNext"] == (cursor is not None)
        if not cursor:
            return objects, folders


def test_one_level_is_listed_folders_among_objects(filled: Somebody) -> None:
    """Trap 41: folders are no objects; they come from names."""
    assert names(filled) == ["a.txt", "B.txt", "c_1.txt", "cx1.txt", "deep", "Photos"]
    assert names(filled, "deep") == names(filled, "deep/") == ["er", "one.txt"]


def test_a_folder_has_a_name_and_nothing_else(filled: Somebody) -> None:
    [folder] = [e for e in filled.storage.from_("private").list() if e["name"] == "deep"]

    assert {name: value for name, value in folder.items() if value is not None} == {"name": "deep"}
    assert folder.keys() == {
        "name", "id", "updated_at", "created_at", "last_accessed_at", "metadata",
    }  # fmt: skip


def test_an_object_has_its_metadata(filled: Somebody) -> None:
    [entry] = filled.storage.from_("private").list("", {"search": "a.txt"})

    assert entry["id"]
    assert entry["metadata"]["size"] == 5


@pytest.mark.parametrize(
    ("prefix", "search", "expected"),
    [
        ("", "b", ["B.txt"]),
        ("", "C_1", ["c_1.txt"]),
        ("", "%", []),
        ("deep", "o", ["one.txt"]),
        ("nothing", "", []),
        ("", "deep/er/two.txt", ["deep/er/two.txt"]),
    ],
)
def test_names_are_searched_without_regard_to_case(
    filled: Somebody, prefix: str, search: str, expected: list[str]
) -> None:
    assert names(filled, prefix, search=search) == expected


def test_a_listing_has_pages(filled: Somebody) -> None:
    assert names(filled, limit=2) == ["a.txt", "B.txt"]
    assert names(filled, limit="2", offset="4") == ["deep", "Photos"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [("asc", ["one", "two", "three"]), ("desc", ["three", "two", "one"])],
)
def test_objects_are_sorted_by_their_dates(
    storage: Running, server: Somebody, order: str, expected: list[str]
) -> None:
    fill(storage, server, ["one", "two", "three"])

    assert names(server, sortBy={"column": "created_at", "order": order}) == expected


def test_ada_lists_only_what_she_may_see(filled: Somebody, ada: Somebody) -> None:
    ada.upload(f"private/{ADA}/mine")

    assert names(ada) == [ADA]
    assert names(ada, ADA) == ["mine"]
    assert names(ada, "deep") == []


def test_a_public_bucket_is_listed_for_nobody_without_a_policy(
    server: Somebody, visitor: Somebody
) -> None:
    """Trap 37."""
    server.upload("public/a.txt")

    assert visitor.storage.from_("public").list() == []


@pytest.mark.parametrize(
    "body",
    [{}, {"prefix": 1.5, "limit": 0}, {"prefix": "", "offset": -1},
     {"prefix": "", "sortBy": {"column": "size"}}, {"prefix": "", "limit": "many"}, []],
)  # fmt: skip
def test_a_listing_that_cannot_be_is_refused(server: Somebody, body: object) -> None:
    answer = server.ask("POST", "/object/list/private", json=body)

    assert (answer.status_code, answer.json()["statusCode"]) == (400, "400")


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("column", ["name", "created_at", "updated_at"])
def test_every_page_goes_on_where_the_last_one_ended(
    filled: Somebody, limit: int, order: str, column: str
) -> None:
    found, folders = pages(filled, limit=limit, sortBy={"column": column, "order": order})

    expected = sorted(NAMES) if column == "name" else NAMES
    assert found == (expected if order == "asc" else expected[::-1])
    assert folders == []


@pytest.mark.parametrize("limit", [1, 2, 100])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_of_one_level(filled: Somebody, limit: int, order: str) -> None:
    options = {"limit": limit, "with_delimiter": True}
    found, folders = pages(filled, sortBy={"column": "name", "order": order}, **options)

    assert sorted(found) == ["B.txt", "a.txt", "c_1.txt", "cx1.txt"]
    assert found == sorted(found, reverse=order == "desc")
    assert sorted(folders) == ["Photos/", "deep/"]


def test_pages_of_a_folder_give_names_and_keys(filled: Somebody) -> None:
    page = filled.storage.from_("private").list_v2({"prefix": "deep/", "with_delimiter": True})

    assert [(entry.name, entry.key) for entry in page.objects] == [("deep/one.txt", "one.txt")]
    assert [(folder.name, folder.key) for folder in page.folders] == [("deep/er/", "er")]
    assert not page.hasNext


def test_ada_pages_only_through_what_she_may_see(filled: Somebody, ada: Somebody) -> None:
    ada.upload(f"private/{ADA}/mine")

    assert pages(ada, limit=1) == ([f"{ADA}/mine"], [])


@pytest.mark.parametrize("cursor", ["nonsense", "eDp5", "bzpzaWRld2F5cw=="])
def test_a_cursor_of_somebody_else_is_refused(server: Somebody, cursor: str) -> None:
    answer = server.ask("POST", "/object/list-v2/private", json={"cursor": cursor})

    assert refused(answer)[1:3] == ("400", "InvalidParameter")
