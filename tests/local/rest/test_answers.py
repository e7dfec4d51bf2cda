"""Answers to reads: their form, their range and their total."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.local.rest.serving import refusal, rows

if TYPE_CHECKING:
    import httpx


@pytest.mark.parametrize(
    ("query", "headers", "status", "content_range"),
    [
        ("", {}, 200, "0-4/*"),
        ("limit=2", {}, 200, "0-1/*"),
        ("", {"Range": "1-2"}, 200, "1-2/*"),
        ("", {"Prefer": "count=exact"}, 200, "0-4/5"),
        ("limit=2&offset=1", {"Prefer": "count=exact"}, 206, "1-2/5"),
        ("id=gt.1", {"Prefer": "count=exact", "Range": "0-0"}, 206, "0-0/4"),
        ("id=eq.9", {"Prefer": "count=exact"}, 200, "*/0"),
        ("id=eq.9", {}, 200, "*/*"),
        ("limit=0", {"Prefer": "count=exact"}, 206, "*/5"),
        ("offset=5", {"Prefer": "count=exact"}, 206, "*/5"),
        ("offset=9", {}, 200, "*/*"),
        ("", {"Prefer": "count=planned"}, 200, "0-4/5"),
        ("limit=1", {"Prefer": "count=estimated"}, 206, "0-0/5"),
    ],
)
def test_the_range_and_the_total_are_told(
    reader: httpx.Client, query: str, headers: dict[str, str], status: int, content_range: str
) -> None:
    for answer in (
        reader.get(f"/books?{query}", headers=headers),
        reader.head(f"/books?{query}", headers={k: v for k, v in headers.items() if k != "Range"}),
    ):
        if answer.request.method == "GET" or "Range" not in headers:
            assert (answer.status_code, answer.headers["content-range"]) == (status, content_range)
    assert answer.content == b""


def test_an_offset_beyond_the_total_is_refused(reader: httpx.Client) -> None:
    answer = reader.get("/books?offset=6", headers={"Prefer": "count=exact"})

    assert answer.status_code == 416
    assert answer.json()["details"] == ("An offset of 6 was requested, but there are only 5 rows.")


def test_one_object_is_answered_as_one(reader: httpx.Client) -> None:
    accept = {"Accept": "application/vnd.pgrst.object+json"}
    answer = reader.get("/covers?book_id=eq.1", headers=accept)

    assert answer.json() == {"book_id": 1, "color": "blue"}
    assert answer.headers["content-type"] == "application/vnd.pgrst.object+json; charset=utf-8"


@pytest.mark.parametrize(("query", "count"), [("book_id=eq.9", 0), ("", 2)])
def test_one_object_is_refused_where_there_is_another_number(
    reader: httpx.Client, query: str, count: int
) -> None:
    accept = {"Accept": "application/vnd.pgrst.object+json"}
    answer = reader.get(f"/covers?{query}", headers=accept)

    assert answer.status_code == 406
    assert refusal(answer) == {
        "code": "PGRST116",
        "message": "Cannot coerce the result to a single JSON object",
        "details": f"The result contains {count} rows",
        "hint": None,
    }


def test_nulls_are_left_out_on_request(reader: httpx.Client) -> None:
    accept = {"Accept": "application/vnd.pgrst.array+json;nulls=stripped"}

    assert rows(reader, "/authors?select=name,country&id=eq.4", **accept) == [{"name": "Dora"}]


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("text/csv, application/json", "text/csv"),
        ("application/json;q=0.5, text/csv", "text/csv"),
        ("image/png, application/json, text/csv", "application/json"),
    ],
)
def test_the_first_media_type_that_can_be_made_is_made(
    reader: httpx.Client, accept: str, media: str
) -> None:
    answer = reader.get("/covers", headers={"Accept": accept})

    assert answer.headers["content-type"] == f"{media}; charset=utf-8"


def test_rows_come_as_csv(reader: httpx.Client) -> None:
    answer = reader.get(
        "/books?select=id,title&id=in.(3,5)&order=id", headers={"Accept": "text/csv"}
    )

    assert answer.text == 'id,title\n3,"Clouds, and rain"\n5,Orphan'
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"


@pytest.mark.parametrize("accept", ["image/png", "application/vnd.pgrst.plan+json"])
def test_what_cannot_be_made_is_refused(reader: httpx.Client, accept: str) -> None:
    answer = reader.get("/books", headers={"Accept": accept})

    assert (answer.status_code, refusal(answer)["code"]) == (406, "PGRST107")


def test_what_cannot_be_made_is_named_as_it_was_asked_for(reader: httpx.Client) -> None:
    accept = 'application/vnd.pgrst.plan+json; for="text/csv"; options=verbose'
    answer = reader.get("/books", headers={"Accept": f"{accept}, image/png"})

    assert (
        answer.json()["message"] == f"None of these media types are available: {accept}, image/png"
    )


def test_times_are_told_in_the_zone_asked_for(reader: httpx.Client) -> None:
    query, prefer = "/books?select=added_at&id=eq.1", {"Prefer": "timezone=Asia/Tokyo"}
    answer = reader.get(query, headers=prefer)

    assert answer.json() == [{"added_at": "2024-01-02T12:04:05+09:00"}]
    assert answer.headers["preference-applied"] == "timezone=Asia/Tokyo"


def test_the_description_shows_what_the_caller_may_touch(reader: httpx.Client) -> None:
    answer = reader.get("/")
    document = answer.json()

    assert answer.headers["content-type"] == "application/openapi+json; charset=utf-8"
    assert {"/", "/books", "/rpc/add", "/rpc/bump"} <= document["paths"].keys()
    assert not {"/secrets", "/rpc/private_matters", "/diaries"} & document["paths"].keys()
    assert document["paths"]["/authors"]["get"]["summary"] == "People who write"
    assert document["paths"]["/authors"]["get"]["description"] == "Or wrote."
    assert document["paths"]["/rpc/bump"].keys() == {"post"}
    book = document["definitions"]["books"]
    assert book["required"] == ["id", "title", "genre", "added_at"]
    assert book["properties"]["pages"] == {
        "format": "int32",
        "type": "integer",
        "description": "How many, covers left out",
    }
    assert book["properties"]["genre"]["enum"] == ["novel", "essay", "poetry"]
    assert book["properties"]["author_id"]["description"] == (
        "Note:\nThis is a Foreign Key to `authors.id`.<fk table='authors' column='id'/>"
    )
    assert document["definitions"]["authors"]["properties"]["awards"]["items"] == {"type": "string"}


def test_types_of_arguments_are_described_as_the_search_path_finds_them(
    reader: httpx.Client,
) -> None:
    document = reader.get("/").json()

    [argument] = document["paths"]["/rpc/books_like"]["get"]["parameters"]
    assert (argument["name"], argument["format"]) == ("kind", "genre")
    assert document["definitions"]["books"]["properties"]["genre"]["format"] == "public.genre"


@pytest.mark.parametrize("path", ["/books?id=lte.2", "/rpc/books_of?who=Ada"])
def test_head_tells_what_get_tells_and_sends_nothing(reader: httpx.Client, path: str) -> None:
    prefer = {"Prefer": "count=exact"}
    read, asked = reader.get(path, headers=prefer), reader.head(path, headers=prefer)

    assert asked.headers["content-range"] == "0-1/2"
    assert (asked.status_code, asked.content) == (read.status_code, b"")
    assert asked.headers["content-type"] == read.headers["content-type"]
