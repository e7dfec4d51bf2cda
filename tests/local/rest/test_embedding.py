"""Embeds over HTTP: which relationships are found, and what becomes of their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.local.rest.serving import refusal, refused, rows

if TYPE_CHECKING:
    import httpx


def test_a_parent_is_an_object_and_children_are_an_array(reader: httpx.Client) -> None:
    assert rows(reader, "/books?select=id,author:authors!author_id(name)&id=in.(1,5)") == [
        {"id": 1, "author": {"name": "Ada"}},
        {"id": 5, "author": None},
    ]
    query = "select=name,books!author_id(id)&books.order=id.desc&id=in.(1,4)&order=id"
    assert rows(reader, f"/authors?{query}") == [
        {"name": "Ada", "books": [{"id": 2}, {"id": 1}]},
        {"name": "Dora", "books": []},
    ]


def test_a_key_that_is_unique_leads_to_one_object(reader: httpx.Client) -> None:
    assert rows(reader, "/books?select=id,covers(color)&id=in.(2,3)&order=id") == [
        {"id": 2, "covers": {"color": "grey"}},
        {"id": 3, "covers": None},
    ]


def test_a_junction_leads_to_the_other_side(reader: httpx.Client) -> None:
    assert rows(reader, "/books?select=id,tags(label)&tags.order=label&id=eq.4") == [
        {"id": 4, "tags": [{"label": "earth"}, {"label": "fire"}]}
    ]


def test_two_ways_between_tables_are_ambiguous(reader: httpx.Client) -> None:
    answer = reader.get("/books?select=*,authors(*)")
    error = refusal(answer)

    assert (answer.status_code, error["code"]) == (300, "PGRST201")
    assert error["message"] == (
        "Could not embed because more than one relationship was found for 'books' and 'authors'"
    )
    assert error["hint"] == (
        "Try changing 'authors' to one of the following: 'authors!books_author_id_fkey', "
        "'authors!books_translator_id_fkey'. "
        "Find the desired relationship in the 'details' key."
    )
    assert error["details"][0] == {
        "cardinality": "many-to-one",
        "embedding": "books with authors",
        "relationship": "books_author_id_fkey using books(author_id) and authors(id)",
    }


def test_two_embeds_of_one_name_need_an_alias(reader: httpx.Client) -> None:
    twice = "authors!books_author_id_fkey(name),authors!books_translator_id_fkey(name)"
    error = refused(reader.get(f"/books?select={twice}"), 400, "42712")

    assert error["message"] == 'table name "books_authors_1" specified more than once'
    assert reader.get(f"/books?select={twice.replace(',', ',by:')}").status_code == 200


@pytest.mark.parametrize(
    "target",
    [
        "authors!books_translator_id_fkey",
        "authors!translator_id",
        "translator_id",
        "books_translator_id_fkey",
    ],
)
def test_a_hint_tells_which_way_is_meant(reader: httpx.Client, target: str) -> None:
    assert rows(reader, f"/books?select=who:{target}(name)&id=eq.2") == [{"who": {"name": "Ben"}}]


def test_a_table_leads_to_itself_by_its_name_down_and_by_the_column_up(
    reader: httpx.Client,
) -> None:
    query = "select=label,up:parent_id(label),down:shelves(label)&down.order=id&id=eq.2"

    assert rows(reader, f"/shelves?{query}") == [
        {"label": "left", "up": {"label": "hall"}, "down": [{"label": "top"}]}
    ]


def test_no_relationship_is_an_error_that_says_so(reader: httpx.Client) -> None:
    answer = reader.get("/books?select=*,shelves(*)")

    assert (answer.status_code, refusal(answer)["code"]) == (400, "PGRST200")
    assert answer.json()["message"] == (
        "Could not find a relationship between 'books' and 'shelves' in the schema cache"
    )


def test_inner_keeps_only_parents_with_children(reader: httpx.Client) -> None:
    query = "select=id,authors!author_id!inner(name)&authors.name=eq.Ada&order=id"

    assert [row["id"] for row in rows(reader, f"/books?{query}")] == [1, 2]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("books!author_id!inner(id)", ["Ada", "Ben", "Cleo"]),
        ("books!inner!author_id()&books.genre=eq.essay", ["Ada"]),
        ("...books!author_id!inner(title)&books.pages=gt.400", ["Cleo"]),
        ("books!author_id!inner(tags!inner(id))&books.tags.label=eq.water", ["Ada", "Ben"]),
    ],
)
def test_inner_asks_for_children_too(reader: httpx.Client, query: str, names: list[str]) -> None:
    authors = rows(reader, f"/authors?order=id&select=name,{query}")

    assert [author["name"] for author in authors] == names


def test_a_filter_on_an_embed_leaves_the_parent(reader: httpx.Client) -> None:
    query = "select=name,books!author_id(id)&books.genre=eq.essay&order=id"

    assert [len(row["books"]) for row in rows(reader, f"/authors?{query}")] == [1, 0, 0, 0]


def test_the_absence_of_an_embed_can_be_asked_for(reader: httpx.Client) -> None:
    query = "select=id,covers()&covers=is.null&order=id"

    assert rows(reader, f"/books?{query}") == [{"id": 3}, {"id": 4}, {"id": 5}]


def test_spread_lifts_the_columns_of_a_parent(reader: httpx.Client) -> None:
    assert rows(reader, "/books?select=id,...authors!author_id(writer:name)&id=eq.1") == [
        {"id": 1, "writer": "Ada"}
    ]


def test_spread_of_children_gives_arrays(reader: httpx.Client) -> None:
    query = "select=name,...books!author_id(titles:title)&books.order=id&id=eq.1"

    assert rows(reader, f"/authors?{query}") == [{"name": "Ada", "titles": ["Rivers", "Stones"]}]


def test_spread_of_no_children_gives_empty_arrays(reader: httpx.Client) -> None:
    assert rows(reader, "/authors?select=name,...books!author_id(title)&id=eq.4") == [
        {"name": "Dora", "title": []}
    ]


def test_a_view_has_the_relationships_of_its_table(reader: httpx.Client) -> None:
    assert rows(reader, "/long_books?select=id,authors(name)&order=id") == [
        {"id": 1, "authors": {"name": "Ada"}},
        {"id": 4, "authors": {"name": "Cleo"}},
    ]


def test_a_function_can_be_a_relationship(reader: httpx.Client) -> None:
    assert rows(reader, "/authors?select=name,compatriots(name)&id=eq.1") == [
        {"name": "Ada", "compatriots": [{"name": "Ben"}]}
    ]


def test_rows_are_ordered_by_a_parents_column(reader: httpx.Client) -> None:
    query = "select=id,authors!author_id(name)&order=authors(name).desc.nullslast,id"

    assert [row["id"] for row in rows(reader, f"/books?{query}")] == [4, 3, 1, 2, 5]


def test_embeds_are_cut_on_their_own(reader: httpx.Client) -> None:
    query = "select=name,books!author_id(id)&books.limit=1&books.offset=1&books.order=id&limit=1"

    assert rows(reader, f"/authors?{query}&order=id") == [{"name": "Ada", "books": [{"id": 2}]}]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("covers.color=eq.blue", "PGRST108"),
        ("select=*,covers(*)&covers=eq.1", "PGRST120"),
        ("select=*,tags(*)&order=tags(label)", "PGRST118"),
        ("order=covers(color)", "PGRST108"),
    ],
)
def test_an_embed_that_is_not_there_or_cannot_be_asked_is_refused(
    reader: httpx.Client, query: str, code: str
) -> None:
    answer = reader.get(f"/books?{query}")

    assert (answer.status_code, refusal(answer)["code"]) == (400, code)
