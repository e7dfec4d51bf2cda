"""Reads through the client that people use."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from postgrest import APIError

from tests.local.rest.serving import ADA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from postgrest import SyncPostgrestClient

    from tests.local.rest.serving import Served


@pytest.fixture
def ada(served: Served) -> Iterator[SyncPostgrestClient]:
    with served.supabase("authenticated", sub=ADA) as made:
        yield made


def test_the_python_client_counts_pages_and_embeds(ada: SyncPostgrestClient) -> None:
    answer = (
        ada.from_("books")
        .select("id, author:authors!author_id(name)", count="exact")  # type: ignore[arg-type]
        .gt("pages", 50)
        .or_("genre.eq.novel,genre.eq.essay")
        .order("pages", desc=True)
        .range(0, 1)
        .execute()
    )

    assert answer.count == 3
    assert answer.data == [
        {"id": 4, "author": {"name": "Cleo"}},
        {"id": 1, "author": {"name": "Ada"}},
    ]


def test_the_python_client_sees_one_row_or_why_not(ada: SyncPostgrestClient) -> None:
    one = ada.from_("covers").select("*").eq("book_id", 1).single().execute()
    maybe = ada.from_("covers").select("*").eq("book_id", 9).maybe_single().execute()
    with pytest.raises(APIError) as refusal:
        ada.from_("covers").select("*").single().execute()

    assert one.data == {"book_id": 1, "color": "blue"}
    assert maybe is None
    assert (refusal.value.code, refusal.value.details) == ("PGRST116", "The result contains 2 rows")


def test_the_python_client_reads_csv_and_searches(ada: SyncPostgrestClient) -> None:
    csv = ada.from_("tags").select("label").eq("id", 1).csv().execute()
    found = (
        ada.from_("books")
        .select("id")
        .text_search("summary", "cat & ran", options={"config": "english"})
        .execute()
    )

    assert csv.data == "label\nwater"
    assert found.data == [{"id": 1}]


def test_the_python_client_looks_into_json(ada: SyncPostgrestClient) -> None:
    found = ada.from_("authors").select("name").contains("profile", {"pets": ["cat"]}).execute()
    ranged = (
        ada.from_("books").select("id").overlaps("in_print", "[2009-01-01,2020-01-01)").execute()
    )

    assert found.data == [{"name": "Ada"}]
    assert json.loads(json.dumps(ranged.data)) == [{"id": 1}, {"id": 2}]
