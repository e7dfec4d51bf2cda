"""Connections: how answers leave."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING

import pytest
import uvicorn
from uvicorn.server import ServerState

from nlctl.local import connections

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Wire(asyncio.Transport):
    """A transport that remembers what was written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


def answering(*bodies: bytes) -> ASGIApp:
    """An application that answers in so many pieces, and lets others work in between."""
    *first, last = bodies

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        length = str(sum(map(len, bodies))).encode()
        headers = [(b"content-length", length)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for body in first:
            await send({"type": "http.response.body", "body": body, "more_body": True})
            await asyncio.sleep(0)
        await send({"type": "http.response.body", "body": last})

    return app


def connect(app: ASGIApp, state: ServerState) -> connections.HttpConnection:
    """The server's side of a connection that is about to be made."""
    return connections.HttpConnection(uvicorn.Config(app, log_config=None), state, {})


def answer(app: ASGIApp, request: bytes = REQUEST) -> Wire:
    """What leaves the server for one request."""

    async def ask() -> Wire:
        wire, state = Wire(), ServerState()
        connection = connect(app, state)
        connection.connection_made(wire)
        connection.data_received(request)
        await asyncio.gather(*state.tasks)
        await asyncio.sleep(0)
        connection.connection_lost(None)
        return wire

    return asyncio.run(ask())


def test_head_and_body_leave_together() -> None:
    (sent,) = [piece for piece in answer(answering(b"hello")).written if piece]

    assert sent.startswith(b"HTTP/1.1 200 OK")
    assert sent.endswith(b"\r\n\r\nhello")


def test_pieces_leave_in_their_order() -> None:
    large = b"x" * connections.SMALL * 2

    sent = b"".join(answer(answering(b"a", large, b"b", large, b"c")).written)

    assert sent.partition(b"\r\n\r\n")[2] == b"a" + large + b"b" + large + b"c"


def test_a_head_without_a_body_leaves_too() -> None:
    (sent,) = answer(answering(b"hello"), REQUEST.replace(b"GET", b"HEAD")).written

    assert sent.endswith(b"content-length: 5\r\n\r\n")


@pytest.mark.parametrize("value", [b"a\r\nb: c", b"a\nb: c", b"a\rb: c", b"a\0"])
def test_a_header_cannot_begin_another(value: bytes) -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"0"), (b"x", value)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})

    wire = answer(app)

    assert wire.closed
    assert wire.written == []


def test_an_answer_leaves_before_its_connection_ends() -> None:
    wire = answer(answering(b"hello"), REQUEST.replace(b"Host", b"Connection: close\r\nHost"))

    assert wire.closed
    assert b"".join(wire.written).endswith(b"hello")


def test_an_answer_is_heard_before_anything_is_done_after_it() -> None:
    uvloop = pytest.importorskip("uvloop", reason="there is none for Windows")
    heard = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answering(b"hello")(scope, receive, send)
        heard.wait()  # nor does the loop come round

    def hear(port: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as caller:
            caller.sendall(REQUEST)
            try:
                return caller.recv(1000)
            finally:
                heard.set()

    async def ask() -> bytes:
        loop, state = asyncio.get_running_loop(), ServerState()
        async with await loop.create_server(lambda: connect(app, state), "127.0.0.1", 0) as server:
            return await asyncio.to_thread(hear, server.sockets[0].getsockname()[1])

    assert uvloop.run(ask()).endswith(b"hello")


def test_a_body_that_nobody_reads_is_not_taken_for_the_next_request() -> None:
    request = REQUEST.replace(b"Host", b"Content-Length: 99999\r\nHost")

    sent = b"".join(answer(answering(b"hello"), request + b"x" * 99_999 + REQUEST).written)

    assert sent.count(b"HTTP/1.1 200 OK") == sent.count(b"HTTP/1.1") == 2
