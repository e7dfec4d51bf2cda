"""WebSockets of the API process: uvicorn's, with the connection itself in the application's reach.

ASGI sends one message to one socket at a time, and waits for slow ones. Who speaks to thousands at
once writes finished frames straight to their transports, and looks for himself who lags behind.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

if TYPE_CHECKING:
    from starlette.types import Scope
    from uvicorn._types import ASGISendEvent

EXTENSION = "nlctl.connection"
OPEN_FILES = 10_240  # what every system grants that has not been told otherwise


def allow_many() -> None:
    """Let this process have as many connections as it may; systems start with few."""
    if sys.platform == "win32":
        return  # no such limit there
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Connection(WebSocketsSansIOProtocol):
    """One connection: `transport` takes whole frames once the handshake is done."""

    heard_at = 0.0
    """When the latest byte came, on the loop's clock."""

    def data_received(self, data: bytes) -> None:
        """Take bytes in."""
        self.heard_at = self.loop.time()
        super().data_received(data)

    async def send(self, message: ASGISendEvent) -> None:
        """Pass a message of the application on."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True  # uvicorn would report that nobody answered

    async def run_asgi(self) -> None:
        """Run the application, which finds this connection in the scope's extensions."""
        self.scope["extensions"] = {
            **(self.scope["extensions"] or {}),
            EXTENSION: {"connection": self},
        }
        await super().run_asgi()


def find(scope: Scope) -> Connection:
    """The connection of a websocket scope that this server made."""
    connection: Connection = scope["extensions"][EXTENSION]["connection"]
    return connection
