"""Load for bench.realtime over bare sockets: talk, commit, change or join, and what each needs.

talk ADDRESS PID bare|realtime SUBSCRIBERS SECONDS: one client speaks, the others listen; first as
fast as they all can, then at a steady pace.
commit ADDRESS DATABASE SUBSCRIBERS MESSAGES: messages are sent by SQL, one after the other.
change ADDRESS DATABASE PEOPLE ROWS: rows are inserted, one after the other, before many people.
join ADDRESS SOCKETS CHANNELS: so many sockets join so many private channels each.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import struct
import sys
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import psutil
import psycopg
import uvloop

from nlctl.local import connections, keys
from nlctl.local.tokens import Keyring

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

PAYLOAD_BYTES = 500
AHEAD = 8  # messages that may be on their way to everybody
PACE = 20_000  # deliveries a second, where time is measured
TOPIC = "realtime:bench"
CONNECTIONS_AT_ONCE = 50
BROADCAST = b"select realtime.send(%s, 'said', 'bench', false)"
CHANGE = b"insert into public.notes (content) values (%s)"
SUBSCRIBED = b"Subscribed to PostgreSQL"

MOMENT = re.compile(rb'"at": ?"([0-9.]+)"')
BINARY = 0x82
TEXT = 0x81


class Ear(asyncio.Protocol):
    """A client that reads frames and counts them; `heard` is called with each payload."""

    def __init__(self, heard: Callable[[bytes], None]) -> None:
        self.is_open = asyncio.get_running_loop().create_future()
        self.transport = asyncio.WriteTransport()
        self.heard = heard
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        self.transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Take the handshake's answer, then frames."""
        self._buffer += data
        if not self.is_open.done():
            head, end, self._buffer = self._buffer.partition(b"\r\n\r\n")
            if not end:
                self._buffer = head
                return
            assert head.startswith(b"HTTP/1.1 101"), head
            self.is_open.set_result(None)
        self._take_frames()

    def say(self, payload: bytes, kind: int = TEXT) -> None:
        """Send a frame, masked with zeros."""
        size = len(payload)
        head = struct.pack("!BB", kind, 0x80 | size) if size < 126 else b""
        self.transport.write((head or struct.pack("!BBH", kind, 0xFE, size)) + bytes(4) + payload)

    def _take_frames(self) -> None:
        buffer, position = self._buffer, 0
        while len(buffer) - position >= 2:
            size, start = buffer[position + 1], position + 2
            if size == 126:
                size, start = int.from_bytes(buffer[start : start + 2], "big"), start + 2
            if len(buffer) < start + size:
                break
            position = start + size
            self.heard(buffer[start:position])
        self._buffer = buffer[position:]


class Crowd:
    """Everybody who listens to one speaker."""

    def __init__(self, address: str, kind: str = "realtime") -> None:
        self.host, _, port = address.partition(":")
        self.port = int(port)
        self.speaks_realtime = kind == "realtime"
        self.delivered = 0
        self.delays: list[float] | None = None
        self.progress = asyncio.Event()
        self.ears: list[Ear] = []

    async def gather(self, size: int) -> None:
        """Connect, and join where there is something to join."""
        for start in range(0, size + 1, CONNECTIONS_AT_ONCE):
            count = min(CONNECTIONS_AT_ONCE, size + 1 - start)
            self.ears += await asyncio.gather(*(self._connect() for _ in range(count)))

    def speak(self) -> None:
        """Say one message, with the moment in it."""
        said = b'{"at":"%017.6f","text":"' % perf_counter()
        document = said + b"." * (PAYLOAD_BYTES - len(said) - 2) + b'"}'
        if not self.speaks_realtime:
            self.ears[0].say(document)
            return
        names = (b"", b"1", TOPIC.encode(), b"said", b"")
        head = bytes((3, *map(len, names), 1))
        self.ears[0].say(head + b"".join(names) + document, BINARY)

    async def shout(self, seconds: float) -> float:
        """Speak as fast as everybody hears; deliveries a second."""
        size = len(self.ears) - 1
        begin, before, said = perf_counter(), self.delivered, 0
        while perf_counter() - begin < seconds:
            while said * size - (self.delivered - before) < AHEAD * size:
                self.speak()
                said += 1
            self.progress.clear()
            await self.progress.wait()
        taken, heard = perf_counter() - begin, self.delivered - before
        await self._silence(before + said * size)
        return heard / taken

    async def converse(self, seconds: float) -> list[float]:
        """Speak at a steady pace; the seconds each delivery took, sorted."""
        size = len(self.ears) - 1
        self.delays = []
        before, messages = self.delivered, max(10, int(PACE * seconds / size))
        for _ in range(messages):
            self.speak()
            await asyncio.sleep(size / PACE)
        await self._silence(before + messages * size)
        return sorted(self.delays)

    async def watch(self, size: int) -> None:
        """Connect so many people, each with a token of his own, who hear of the same rows."""
        for _ in range(size):
            ear = await connect(self.host, self.port, is_realtime=True)
            await subscribe(ear, sign_in())
            ear.heard = self._hear
            self.ears.append(ear)

    async def hear(
        self, database: psycopg.AsyncConnection, messages: int, statement: bytes
    ) -> list[float]:
        """Let SQL speak; the seconds from before each commit to each delivery, sorted."""
        self.delays = []
        for _ in range(messages):
            before = self.delivered
            document = json.dumps({"at": f"{perf_counter():017.6f}", "text": "." * 460})
            await database.execute(statement, (document,))
            await self._silence(before + len(self.ears))
        return sorted(self.delays)

    async def _connect(self) -> Ear:
        ear = await connect(self.host, self.port, is_realtime=self.speaks_realtime)
        if self.speaks_realtime:
            await join(ear, TOPIC)
        ear.heard = self._hear
        return ear

    def _hear(self, payload: bytes) -> None:
        self.delivered += 1
        if self.delays is not None:
            found = MOMENT.search(payload)
            if found:
                self.delays.append(perf_counter() - float(found[1]))
        self.progress.set()

    async def _silence(self, delivered: int) -> None:
        while self.delivered < delivered:
            self.progress.clear()
            await self.progress.wait()


async def connect(host: str, port: int, *, is_realtime: bool) -> Ear:
    """A client after its handshake."""
    loop = asyncio.get_running_loop()
    _, ear = await loop.create_connection(lambda: Ear(lambda _payload: None), host, port)
    path = f"/realtime/v1/websocket?apikey={keys.PUBLISHABLE_KEY}&vsn=2.0.0"
    ear.transport.write(
        f"GET {path if is_realtime else '/'} HTTP/1.1\r\nHost: {host}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    await ear.is_open
    return ear


async def join(ear: Ear, topic: str, token: str | None = None) -> None:
    """Join a channel, a private one with a token."""
    answered = asyncio.get_running_loop().create_future()
    ear.heard = answered.set_result
    asked: dict[str, Any] = {"config": {"private": token is not None}, "access_token": token}
    ear.say(json.dumps(["1", "1", topic, "phx_join", asked]).encode())
    answer = json.loads(await answered)
    if answer[4]["status"] != "ok":
        raise RuntimeError(f"Not joined: {answer}")


async def subscribe(ear: Ear, token: str) -> None:
    """Join a channel that hears of rows, and wait until it does."""
    subscribed = asyncio.get_running_loop().create_future()

    def hear(payload: bytes) -> None:
        if SUBSCRIBED in payload and not subscribed.done():
            subscribed.set_result(None)

    ear.heard = hear
    wish = {"event": "*", "schema": "public", "table": "notes"}
    asked = {"config": {"postgres_changes": [wish]}, "access_token": token}
    ear.say(json.dumps(["1", "1", TOPIC, "phx_join", asked]).encode())
    await subscribed


def sign_in() -> str:
    """The token of somebody new."""
    claims = {"role": "authenticated", "sub": str(uuid4()), "exp": keys.EXPIRES_AT}
    return Keyring(keys.JWT_SECRET).sign(claims)


async def talk(address: str, pid: str, kind: str, size: str, seconds: str) -> dict[str, float]:
    """Deliveries a second, of the clock and of the server's own time, and what they took."""
    crowd, process = Crowd(address, kind), psutil.Process(int(pid))
    await crowd.gather(int(size))
    await crowd.shout(float(seconds) / 4)
    busy, before = sum(process.cpu_times()[:2]), crowd.delivered
    per_second = await crowd.shout(float(seconds))
    busy = sum(process.cpu_times()[:2]) - busy
    return {
        "per_second": per_second,
        "per_busy_second": (crowd.delivered - before) / busy,
        **summary(await crowd.converse(float(seconds))),
    }


async def commit(address: str, database: str, size: str, messages: str) -> dict[str, float]:
    """What it takes from SQL to everybody."""
    crowd = Crowd(address)
    await crowd.gather(int(size) - 1)
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        await crowd.hear(connection, int(messages) // 10, BROADCAST)
        return summary(await crowd.hear(connection, int(messages), BROADCAST))


async def change(address: str, database: str, size: str, messages: str) -> dict[str, float]:
    """What it takes from a changed row to everybody whose policies let him see it."""
    crowd = Crowd(address)
    await crowd.watch(int(size))
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        await crowd.hear(connection, int(messages) // 10, CHANGE)
        return summary(await crowd.hear(connection, int(messages), CHANGE))


async def crowd_in(address: str, sockets: str, channels: str) -> dict[str, float]:
    """How long it takes until every channel is joined."""
    host, _, port = address.partition(":")
    token = sign_in()
    ears = [await connect(host, int(port), is_realtime=True) for _ in range(int(sockets))]

    async def join_all(number: int, ear: Ear) -> None:
        for channel in range(int(channels)):
            await join(ear, f"realtime:room:{number}:{channel}", token)

    begin = perf_counter()
    await asyncio.gather(*(join_all(number, ear) for number, ear in enumerate(ears)))
    return {"seconds": perf_counter() - begin}


def summary(delays: list[float]) -> dict[str, float]:
    """The middle, and the slowest of the quickest 99 %."""
    return {
        "median_ms": delays[len(delays) // 2] * 1000,
        "slowest_ms": delays[len(delays) * 99 // 100] * 1000,
    }


ACTS: dict[str, Callable[..., Coroutine[Any, Any, dict[str, float]]]] = {
    "talk": talk,
    "commit": commit,
    "change": change,
    "join": crowd_in,
}


if __name__ == "__main__":
    connections.allow_many()
    print(json.dumps(uvloop.run(ACTS[sys.argv[1]](*sys.argv[2:]))), flush=True)
    os._exit(0)  # thousands of sockets need no goodbye
