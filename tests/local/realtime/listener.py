"""What a process of its own does that listens to one database and tells what it hears."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from nlctl.local.realtime.broadcasts import Broadcasts
from tests.local.realtime.hearing import Hub

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from nlctl.local.realtime.contract import Message


class Telling(Hub):
    """Tells what it hears, at once."""

    def __init__(self, told: Connection) -> None:
        super().__init__()
        self._told = told

    def publish(self, message: Message) -> None:
        self._told.send(message.event)


def listen_until_killed(database_url: str, told: Connection) -> None:
    """Tell "live" once it hears, and then each event."""
    asyncio.run(_listen(database_url, told))


async def _listen(database_url: str, told: Connection) -> None:
    broadcasts = Broadcasts(database_url, Telling(told))
    running = asyncio.create_task(broadcasts.run())
    await broadcasts.is_live.wait()
    told.send("live")
    await running
