"""Reads over HTTP: columns, filters and order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.local.rest.serving import ids, refusal, rows

if TYPE_CHECKING:
    import httpx


# Paths and profiles (4.1).


def test_a_table_is_read_as_an_array_of_objects(reader: httpx.Client) -> None:
    answer = reader.get("/covers?order=book_id")

    assert answer.text == '[{"book_id":1,"color":"blue"}, \n {"book_id":2,"color":"grey"}]'
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["content-range"] == "0-1/*"
    assert answer.headers["content-location"] == "/covers?order=book_id"
    assert answer.headers["content-profile"] == "public"
    assert answer.headers["vary"] == "Accept, Prefer, Range"


def test_a_table_that_is_unknown_suggests_one_that_is_known(reader: httpx.Client) -> None:
    answer = reader.get("/bookz")

    assert answer.status_code == 404
    assert refusal(answer) == {
        "code": "PGRST205",
        "message": "Could not find the table 'public.bookz' in the schema cache",
        "details": None,
        "hint": "Perhaps you meant the table 'public.books'",
    }


def test_a_profile_chooses_the_schema(reader: httpx.Client) -> None:
    answer = reader.get("/ledgers?select=year", headers={"Accept-Profile": "archive"})

    assert answer.json() == [{"year": 1999}, {"year": 2001}]
    assert answer.headers["content-profile"] == "archive"


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/books", "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE"),
        ("/notes", "OPTIONS,GET,HEAD,POST,PATCH,DELETE"),
        ("/rpc/bump?counter=a", "OPTIONS,POST"),
        ("/rpc/add?a=1", "OPTIONS,GET,HEAD,POST"),
        ("/", "OPTIONS,GET,HEAD"),
    ],
)
def test_options_tell_what_may_be_asked(reader: httpx.Client, path: str, allowed: str) -> None:
    answer = reader.options(path)

    assert (answer.status_code, answer.headers["allow"]) == (200, allowed)


# Operators (4.2).


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("id=eq.1", [1]),
        ("id=neq.1", [2, 3, 4, 5]),
        ("pages=gt.90", [1, 4]),
        ("pages=gte.90", [1, 2, 4]),
        ("pages=lt.90", [5]),
        ("pages=lte.90", [2, 5]),
        ("title=like.*s", [1, 2]),
        ("title=ilike.s*", [2]),
        ("title=like(any).{R*,*an}", [1, 5]),
        ("title=like(all).{*o*,*s}", [2]),
        ("title=match.^[RS]", [1, 2]),
        ("title=imatch.^[rs]", [1, 2]),
        ("id=in.(1,3,9)", [1, 3]),
        ("id=in.()", []),
        ('title=in.("Clouds, and rain","Ashes (again)")', [3, 4]),
        ("pages=is.null", [3]),
        ("pages=is.not_null", [1, 2, 4, 5]),
        ("pages=not.is.NULL", [1, 2, 4, 5]),
        ("pages=isdistinct.90", [1, 3, 4, 5]),
        ("summary=fts(english).cat", [1, 2]),
        ("summary=plfts(english).a stone and cats", [2]),
        ("summary=phfts(english).the cats ran", [1]),
        ("summary=phfts(english).ran the cats", []),
        ("summary=wfts(english).cat -stone", [1]),
        ("summary=not.fts(english).cat", [4]),
        ("summary=fts(simple).cats", [1]),
        ("in_print=cs.[2007-01-01,2007-01-02)", [1, 2]),
        ("in_print=cd.[2000-01-01,2011-01-01)", [1]),
        ("in_print=ov.[2009-01-01,2020-01-01)", [1, 2]),
        ("in_print=sl.[2000-01-01,2001-01-01)", [4]),
        ("in_print=sr.[1995-01-01,1996-01-01)", [1, 2]),
        ("in_print=nxr.[2000-01-01,2010-01-01)", [1, 4]),
        ("in_print=nxl.[2000-01-01,2010-01-01)", [1, 2]),
        ("in_print=adj.[2010-01-01,2011-01-01)", [1]),
        ("pages=gt(any).{400,80}", [1, 2, 4]),
        ("pages=gt(all).{400,80}", [4]),
        ("pages=not.gt(any).{400,80}", [5]),
        ("genre=eq.essay", [2]),
        ("pages=gt.50&pages=lt.400", [1, 2]),
        ("or=(id.eq.1,and(id.gt.2,pages.is.null))", [1, 3]),
        ("not.or=(id.eq.1,id.eq.2)", [3, 4, 5]),
        ("not.and=(id.gt.1,id.lt.5)", [1, 5]),
        ('or=(title.eq."Ashes (again)",isbn.in.(1-1,2-2))', [1, 2, 4]),
    ],
)
def test_a_filter_keeps_what_fits(reader: httpx.Client, query: str, kept: list[int]) -> None:
    assert ids(reader, query) == kept


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("is_right=is.true", [1]),
        ("is_right=is.FALSE", [2]),
        ("is_right=is.unknown", [3]),
        ("is_right=not.is.true", [2, 3]),
        ("is_right=is.not_null", [1, 2]),
        ("is_right=not.eq.true", [2]),
    ],
)
def test_a_truth_may_be_unknown(reader: httpx.Client, query: str, kept: list[int]) -> None:
    assert ids(reader, query, "answers") == kept


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("profile->born->>year=eq.1900", [1]),
        ("profile->born->year=gt.1900", [2]),
        ("profile->pets->>1=eq.dog", [1]),
        ("profile->pets->>-2=eq.cat", [1]),
        ('profile=cs.{"pets":["cat"]}', [1]),
        ("profile=fts(simple).cat", [1]),
        ("awards=cs.{gold}", [1, 3]),
        ("awards=cd.{gold,bronze}", [2, 3, 4]),
        ("awards=ov.{silver,bronze}", [1]),
        ("awards=eq.{}", [2, 4]),
        ("awards->>0=eq.gold", [1, 3]),
    ],
)
def test_json_and_arrays_are_looked_into(reader: httpx.Client, query: str, kept: list[int]) -> None:
    assert ids(reader, query, "authors") == kept


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("id=eq.one", 400, "22P02"),
        ("nothing=eq.1", 400, "42703"),
        ("select=nothing", 400, "42703"),
        ("genre=eq.opera", 400, "22P02"),
        ("id=like.1", 404, "42883"),
        ("title=match.(", 400, "2201B"),
        ("id=eq", 400, "PGRST100"),
        ("limit=-1", 416, "PGRST103"),
        ("select=title::nothing", 400, "42704"),
        ("select=count()", 400, "PGRST123"),
        ("select=pages.sum()", 400, "PGRST123"),
    ],
)
def test_a_question_without_an_answer_is_refused(
    reader: httpx.Client, query: str, status: int, code: str
) -> None:
    answer = reader.get(f"/books?{query}")

    assert (answer.status_code, refusal(answer)["code"]) == (status, code)


def test_columns_are_chosen_renamed_and_cast(reader: httpx.Client) -> None:
    query = "select=name,key:id::text,born:profile->born->year,pet:profile->pets->>0&id=eq.1"

    assert rows(reader, f"/authors?{query}") == [
        {"name": "Ada", "key": "1", "born": 1900, "pet": "cat"}
    ]


def test_a_json_path_is_called_by_its_last_key(reader: httpx.Client) -> None:
    assert rows(reader, "/authors?select=profile->born->>year,awards->0&id=eq.1") == [
        {"year": "1900", "awards": "gold"}
    ]


def test_a_computed_field_is_shown_filtered_and_ordered_but_not_part_of_all(
    reader: httpx.Client,
) -> None:
    assert rows(reader, "/books?select=shout&shout=like.R*&order=shout") == [{"shout": "RIVERS"}]
    assert "shout" not in rows(reader, "/books?id=eq.1")[0]


@pytest.mark.parametrize(
    ("order", "sorted_ids"),
    [
        ("id.desc", [5, 4, 3, 2, 1]),
        ("pages.desc.nullslast", [4, 1, 2, 5, 3]),
        ("pages.nullsfirst", [3, 5, 2, 1, 4]),
        ("genre,id.desc", [5, 4, 1, 2, 3]),
    ],
)
def test_rows_come_in_the_order_asked_for(
    reader: httpx.Client, order: str, sorted_ids: list[int]
) -> None:
    assert [row["id"] for row in rows(reader, f"/books?order={order}")] == sorted_ids


def test_postgresql_writes_the_json(reader: httpx.Client) -> None:
    text = reader.get("/books?select=price,added_at,in_print,genre&id=eq.1").text

    assert text == (
        '[{"price":12.50,"added_at":"2024-01-02T03:04:05+00:00",'
        '"in_print":"[2000-01-01,2010-01-01)","genre":"novel"}]'
    )
