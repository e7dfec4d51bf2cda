"""Connections of the API process: uvicorn's, with what it lacks.

Over HTTP, the head of an answer leaves with its body. Of websockets, the connection itself is in
the application's reach: ASGI sends one message to one socket at a time, and waits for slow ones;
who speaks to thousands at once writes finished frames straight to their transports, and looks for
himself who lags behind.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

if TYPE_CHECKING:
    import asyncio

    from starlette.types import Scope
    from uvicorn._types import ASGISendEvent

EXTENSION = "nlctl.connection"
REFUSAL = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
SMALL = 16_384
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


class HttpConnection(HttpToolsProtocol):
    """One connection that speaks HTTP, until it becomes a websocket."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin."""
        super().connection_made(Gathering(transport, self.loop))  # type: ignore[arg-type]

    def handle_websocket_upgrade(self) -> None:
        """Frames leave one by one."""
        self.transport = self.transport.bare  # type: ignore[attr-defined]
        super().handle_websocket_upgrade()


class Gathering:
    """A transport that lets a small piece wait for the next one, until the loop comes round.

    Uvicorn writes head and body apart: two packets, for which the caller would wake twice.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self.bare = transport
        self._loop = loop
        self._waiting = b""

    def write(self, piece: bytes) -> None:
        """Send a piece, now or soon."""
        if self._waiting and len(piece) <= SMALL:
            joined, self._waiting = self._waiting + piece, b""
            self.bare.write(joined)
        elif len(piece) <= SMALL:
            self._waiting = piece
            self._loop.call_soon(self._flush)
        else:
            self._flush()
            self.bare.write(piece)

    def close(self) -> None:
        """Hang up when everything is sent."""
        self._flush()
        self.bare.close()

    def is_closing(self) -> bool:
        return self.bare.is_closing()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bare, name)

    def _flush(self) -> None:
        if self._waiting:
            piece, self._waiting = self._waiting, b""
            self.bare.write(piece)


class Connection(WebSocketsSansIOProtocol):
    """One connection: `transport` takes whole frames once the handshake is done."""

    heard_at = 0.0
    """When the latest byte came, on the loop's clock."""

    def data_received(self, data: bytes) -> None:
        """Take bytes in."""
        self.heard_at = self.loop.time()
        super().data_received(data)
        if self.conn.handshake_exc and not self.handshake_initiated:
            self.transport.write(REFUSAL)  # uvicorn would leave the caller waiting
            self.transport.close()

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
