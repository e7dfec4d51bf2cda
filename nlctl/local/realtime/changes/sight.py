"""Sight: who is told of some changes, and what.

Everything is asked once for all changes of a batch and all who are alike: filters and words once
for each table and role, policies once for each table, role and claims.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import psycopg

from nlctl.local.realtime.changes import filtering, notices, policies, views

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nlctl.local.realtime.changes.notices import Notice
    from nlctl.local.realtime.changes.rows import Change
    from nlctl.local.realtime.changes.views import Connection, Watch

log = logging.getLogger(__name__)


async def look(
    connection: Connection, changes: Sequence[Change], watches: Sequence[Watch]
) -> list[Notice]:
    """What is told of `changes`.

    Where PostgreSQL cannot answer for all, because of one person's policy or one row's value, it is
    asked again for fewer, until who or what it was stands alone and is left out.
    """
    try:
        return await _look(connection, changes, watches)
    except psycopg.Error as error:
        if connection.closed:
            raise
        halves = _halves(changes, watches)
        if not halves:
            log.warning("A changed row is not told to somebody: %s", error)
    return [notice for half in halves for notice in await look(connection, *half)]


def _halves(
    changes: Sequence[Change], watches: Sequence[Watch]
) -> list[tuple[Sequence[Change], Sequence[Watch]]]:
    if len(watches) > 1:
        half = len(watches) // 2
        return [(changes, watches[:half]), (changes, watches[half:])]
    if len(changes) > 1:
        half = len(changes) // 2
        return [(changes[:half], watches), (changes[half:], watches)]
    return []


async def _look(
    connection: Connection, changes: Sequence[Change], watches: Sequence[Watch]
) -> list[Notice]:
    async with connection.transaction():
        involved = await views.load(connection, changes, watches)
        await filtering.narrow(connection, involved)
        await policies.narrow(connection, involved)
        return await notices.write(connection, involved)
