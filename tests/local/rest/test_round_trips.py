"""Round trips: how often the database is asked for one request, and how many statements that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from nlctl.local.pipeline import Connection

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx
    from psycopg.pq.abc import PGresult

    from nlctl.local.pipeline import Step

SHOWN = {"Prefer": "return=representation"}
COUNTED = {"Prefer": "count=exact"}


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What is sent to the database: for each time, the first word of each statement."""
    trips: list[list[str]] = []
    run = Connection.run

    async def remember(self: Connection, steps: Sequence[Step]) -> list[PGresult]:
        trips.append([step.text.decode().split()[0] for step in steps])
        return await run(self, steps)

    monkeypatch.setattr(Connection, "run", remember)
    return trips


@pytest.mark.parametrize(
    ("method", "path", "options", "statements"),
    [
        ("GET", "/books?select=*,author:authors!author_id(name)", {}, ["select", "select"]),
        ("GET", "/books?limit=1", {"headers": COUNTED}, ["select", "with"]),
        ("POST", "/tags", {"json": [{"id": 7, "label": "a"}]}, ["select", "with"]),
        ("PATCH", "/tags?id=eq.1", {"json": {"label": "b"}, "headers": SHOWN}, ["select", "with"]),
        ("DELETE", "/notes?line=eq.one", {}, ["select", "with"]),
        ("POST", "/rpc/bump", {"json": {"counter": "a"}}, ["select", "with"]),
    ],
)
def test_a_request_is_its_context_and_one_statement_in_one_round_trip(
    writer: httpx.Client,
    sent: list[list[str]],
    method: str,
    path: str,
    options: dict[str, Any],
    statements: list[str],
) -> None:
    answer = writer.request(method, path, **options)

    assert answer.is_success
    assert sent == [statements]
