"""Writes over HTTP, and the table that shows what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

    from tests.databases import Database

SHOWN = "return=representation"


def write(writer: httpx.Client, method: str, path: str, body: Any, *prefer: str) -> httpx.Response:
    """One request with a JSON body and these preferences."""
    return writer.request(method, path, json=body, headers={"Prefer": ", ".join(prefer)})


def covers(database: Database) -> list[tuple[int, str | None]]:
    """What the table says that most of these tests write to."""
    return database.run("select book_id, color from public.covers order by 1")
