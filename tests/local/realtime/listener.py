"""A process that listens to one database and says what it hears: one event a line.

python -m tests.local.realtime.listener URL
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from nlctl.local.realtime.broadcasts import Broadcasts
from tests.local.realtime.hearing import Hub

if TYPE_CHECKING:
    from nlctl.local.realtime.contract import Message


class Speaking(Hub):
    """Says what it is told, at once."""

    def publish(self, message: Message) -> None:
        print(message.event, flush=True)


async def listen(url: str) -> None:
    broadcasts = Broadcasts(url, Speaking())
    running = asyncio.create_task(broadcasts.run())
    await broadcasts.is_live.wait()
    print("live", flush=True)
    await running


if __name__ == "__main__":
    asyncio.run(listen(sys.argv[1]))
