"""The archive: what was broadcast on a private topic while somebody was away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from nlctl.database import load_sql
from nlctl.local.realtime.contract import Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg_pool import AsyncConnectionPool

REPLAY_LIMIT = 25


class Archive:
    """Reads realtime.messages, as their owner."""

    def __init__(self, pool: AsyncConnectionPool[Any]) -> None:
        self._pool = pool

    async def replay(self, topic: str, since: int, limit: int) -> Sequence[Message]:
        """The latest private broadcasts since a moment (ms of the epoch), the oldest first."""
        asked = {"topic": topic, "since": since, "limit": max(1, min(limit, REPLAY_LIMIT))}
        query = load_sql("nlctl.local.realtime.sql", "replayed_messages")
        async with self._pool.connection() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            await cursor.execute(query, asked)
            return [_read(row) for row in await cursor.fetchall()]


def _read(row: dict[str, Any]) -> Message:
    is_json = row["binary_payload"] is None
    return Message(
        topic=row["topic"],
        event=row["event"],
        payload=row["payload"].encode() if is_json else row["binary_payload"],
        is_private=True,
        is_json=is_json,
        id=row["id"],
        is_replayed=True,
    )
