"""Connections of the API process: uvicorn's, with what it lacks.

Over HTTP, the head of an answer leaves with its body. Of websockets, the connection itself is in
the application's reach: ASGI sends one message to one socket at a time, and waits for slow ones;
who speaks to thousands at once writes finished frames straight to their transports, and looks for
himself who lags behind.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import Scope
    from uvicorn._types import ASGISendEvent

EXTENSION = "nlctl.connection"
REFUSAL = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
SMALL = 16_384
OPEN_FILES = 10_240  # what every system grants that has not been told otherwise

_PRINTABLE = bytes(each for each in range(256) if (each >= 32 and each != 127) or each == 9)


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

    def on_headers_complete(self) -> None:
        """Begin to answer: as uvicorn does it, without what no stack of ours asks for."""
        self._describe()
        if self.parser.should_upgrade() and self._should_upgrade():
            return
        before = self.cycle
        self.cycle = self._exchange()
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def _describe(self) -> None:
        url = httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        self.scope["http_version"] = self.parser.get_http_version()
        self.scope["method"] = self.parser.get_method().decode("ascii")
        self.scope["path"] = unquote(path) if "%" in path else path
        self.scope["raw_path"] = url.path
        self.scope["query_string"] = url.query or b""

    def _exchange(self) -> Exchange:
        exchange = Exchange(
            self.scope,
            self.transport,
            self.flow,
            self.logger,
            self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=self.scope["http_version"] != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        exchange.loop = self.loop
        return exchange


class Exchange(RequestResponseCycle):
    """One request and its answer.

    The head waits for the body until the loop comes round, so that both leave in one packet and
    the caller wakes once. The rest is uvicorn's.
    """

    loop: asyncio.AbstractEventLoop
    _head = b""

    async def send(self, message: Any) -> None:
        """Pass a message of the application on."""
        if message["type"] == "http.response.start" and not self.response_started:
            self._begin(message["status"], message.get("headers", ()))
        elif self._is_all(message):
            self.transport.write(self._take_head() + message["body"])
            self._end()
        else:
            self._send_head()
            await super().send(message)

    def _begin(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        self.response_started = True
        self.waiting_for_100_continue = False
        given = (*self.default_headers, *headers)
        if b"".join(map(b"".join, given)).translate(None, _PRINTABLE):
            raise RuntimeError("A header of the answer has a line break or a control character.")
        lines = [STATUS_LINE[status]]
        for name, value in given:
            lines += (name, b": ", value, b"\r\n")
            if name == b"content-length":
                self.expected_content_length = int(value)
                self.chunked_encoding = False
            elif name == b"connection" and b"close" in value.lower():
                self.keep_alive = False
        if not self.keep_alive:
            lines.append(b"connection: close\r\n")
        if self.chunked_encoding is None and not self._is_bodiless(status):
            self.chunked_encoding = True
            lines.append(b"transfer-encoding: chunked\r\n")
        self._head = b"".join([*lines, b"\r\n"])
        self.loop.call_soon(self._send_head)

    def _is_bodiless(self, status: int) -> bool:
        return self.scope["method"] == "HEAD" or status in {204, 304}

    def _is_all(self, message: Any) -> bool:
        """Whether the body is whole and can leave right now with its head."""
        return (
            bool(self._head)
            and message["type"] == "http.response.body"
            and not message.get("more_body")
            and 0 < len(message.get("body", b"")) <= SMALL
            and len(message["body"]) == self.expected_content_length
            and not (self.flow.write_paused or self.disconnected)
            and self.scope["method"] != "HEAD"
        )

    def _end(self) -> None:
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()

    def _send_head(self) -> None:
        head = self._take_head()
        if head and not self.transport.is_closing():
            self.transport.write(head)

    def _take_head(self) -> bytes:
        head, self._head = self._head, b""
        return head


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
