"""Changes of rows: who hears of them, and what he is told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from tests.local.realtime.watching import Screen, authenticated, make_notes, watching

if TYPE_CHECKING:
    from tests.databases import Database

ALL: dict[str, Any] = {"event": "*", "schema": "public", "table": "notes"}


def test_each_sees_his_own_rows_only(empty_database: Database) -> None:
    async def scenario() -> None:
        ada, ben = Screen(authenticated("ada"), ALL), Screen(authenticated("ben"), ALL)
        async with watching(empty_database, ada, ben):
            empty_database.run("insert into public.notes values (1, 'ada', 'a'), (2, 'ben', 'b')")
            empty_database.run("insert into public.notes values (3, 'ada', 'c'), (4, 'ben', 'd')")
            seen = [await ada.sees(2), await ben.sees(2)]
        assert [[each["record"]["id"] for each in rows] for rows in seen] == [[1, 3], [2, 4]]
        print(seen, ada.told)

    make_notes(empty_database)
    asyncio.run(scenario())
