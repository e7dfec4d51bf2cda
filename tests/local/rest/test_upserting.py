"""Rows that are made or replaced over HTTP: upserts and PUT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.local.rest.serving import refused
from tests.local.rest.writing import SHOWN, covers, write

if TYPE_CHECKING:
    import httpx

    from tests.databases import Database


# Upsert.


def test_a_row_that_is_there_is_replaced(writer: httpx.Client, own_library: Database) -> None:
    merge = "resolution=merge-duplicates"
    replaced = write(writer, "POST", "/covers", {"book_id": 1, "color": "red"}, merge, SHOWN)
    both = write(writer, "POST", "/covers", [{"book_id": n, "color": "x"} for n in (2, 3)], merge)

    assert (replaced.status_code, replaced.json()) == (200, [{"book_id": 1, "color": "red"}])
    assert replaced.headers["preference-applied"] == f"{merge}, {SHOWN}"
    assert both.status_code == 201
    assert covers(own_library) == [(1, "red"), (2, "x"), (3, "x")]


def test_a_row_that_is_there_is_left_alone(writer: httpx.Client, own_library: Database) -> None:
    rows = [{"book_id": 1, "color": "red"}, {"book_id": 3, "color": "new"}]
    answer = write(writer, "POST", "/covers", rows, "resolution=ignore-duplicates", SHOWN)

    assert (answer.status_code, answer.json()) == (201, [{"book_id": 3, "color": "new"}])
    assert covers(own_library) == [(1, "blue"), (2, "grey"), (3, "new")]


def test_another_unique_column_can_decide(writer: httpx.Client) -> None:
    path = "/books?on_conflict=isbn&select=id,title"
    row = {"isbn": "1-1", "title": "Rivers, again"}
    answer = write(writer, "POST", path, row, "resolution=merge-duplicates", SHOWN)

    assert answer.json() == [{"id": 1, "title": "Rivers, again"}]


def test_a_column_that_is_not_unique_cannot_decide(writer: httpx.Client) -> None:
    path, row = "/books?on_conflict=title", {"title": "Rivers"}

    refused(write(writer, "POST", path, row, "resolution=merge-duplicates"), 400, "42P10")


def test_a_column_that_is_unique_for_some_rows_cannot_decide(
    writer: httpx.Client, own_library: Database
) -> None:
    own_library.run("create unique index on public.books (summary) where summary is not null")
    path, row = "/books?on_conflict=summary", {"title": "Rivers", "summary": "A stone, a cat"}

    refused(write(writer, "POST", path, row, "resolution=merge-duplicates"), 400, "42P10")


def test_an_upsert_brings_all_that_a_new_row_needs(writer: httpx.Client) -> None:
    row = {"id": 1, "pages": 7}

    refused(write(writer, "POST", "/books", row, "resolution=merge-duplicates"), 400, "23502")


def test_without_a_key_an_upsert_is_an_insert(writer: httpx.Client) -> None:
    answer = write(writer, "POST", "/notes", {"line": "one"}, "resolution=merge-duplicates")

    assert answer.status_code == 201
    assert "preference-applied" not in answer.headers


# Put.


def test_put_makes_or_replaces_the_row_of_a_key(
    writer: httpx.Client, own_library: Database
) -> None:
    made = write(writer, "PUT", "/covers?book_id=eq.3", {"book_id": 3, "color": "new"}, SHOWN)
    replaced = write(writer, "PUT", "/covers?book_id=eq.3", {"book_id": 3, "color": "old"}, SHOWN)
    bare = write(writer, "PUT", "/covers?book_id=eq.3", {"book_id": 3, "color": "last"})

    assert (made.status_code, replaced.status_code, bare.status_code) == (201, 200, 204)
    assert covers(own_library)[-1] == (3, "last")


@pytest.mark.parametrize(
    ("query", "body", "status", "code"),
    [
        ("", {"book_id": 3}, 405, "PGRST105"),
        ("color=eq.x", {"book_id": 3}, 405, "PGRST105"),
        ("book_id=gt.3", {"book_id": 3}, 405, "PGRST105"),
        ("book_id=eq.3&color=eq.x", {"book_id": 3}, 405, "PGRST105"),
        ("book_id=eq.3", {"book_id": 4}, 400, "PGRST115"),
        ("book_id=eq.3&limit=1", {"book_id": 3}, 400, "PGRST114"),
    ],
)
def test_put_is_for_one_row_by_its_key(
    writer: httpx.Client, own_library: Database, query: str, body: Any, status: int, code: str
) -> None:
    refused(write(writer, "PUT", f"/covers?{query}", body), status, code)

    assert len(covers(own_library)) == 2
