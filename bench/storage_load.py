"""Load for bench.storage over bare sockets: URL upload|download PREFIX COUNT SIZE CONNECTIONS

Prints the seconds it took to upload or download COUNT objects of SIZE bytes.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from time import perf_counter
from urllib.parse import urlsplit

import uvloop

from bench.storage import OWNER
from nlctl.local import keys
from nlctl.local.tokens import Keyring

PIECE = bytes(range(256)) * 1024
WARM_UP = 20
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class Caller:
    """One connection, and what is asked on it."""

    def __init__(self, url: str, size: int) -> None:
        self._place = urlsplit(url)
        self._size = size
        token = Keyring(keys.JWT_SECRET).sign({"role": "authenticated", "sub": OWNER})
        self._common = (
            f"Host: localhost\r\nAuthorization: Bearer {token}\r\n"
            "Content-Type: application/octet-stream\r\n"
        )

    async def open(self) -> Caller:
        """Connect."""
        place = self._place
        self._reader, self._writer = await asyncio.open_connection(place.hostname, place.port)
        return self

    async def upload(self, name: str) -> None:
        """Send one object and wait until it is kept."""
        head = f"POST {self._place.path}/{name} HTTP/1.1\r\n{self._common}"
        self._writer.write(f"{head}Content-Length: {self._size}\r\n\r\n".encode())
        for start in range(0, self._size, len(PIECE)):
            self._writer.write(PIECE[: self._size - start])
            await self._writer.drain()
        await self._answer()

    async def download(self, name: str) -> None:
        """Ask for one object and take all of it."""
        self._writer.write(f"GET {self._place.path}/{name} HTTP/1.1\r\n{self._common}\r\n".encode())
        if await self._answer() != self._size:
            raise RuntimeError(f"{name} did not come whole.")

    async def _answer(self) -> int:
        head = await self._reader.readuntil(b"\r\n\r\n")
        found = _LENGTH.search(head)
        length = rest = int(found[1]) if found else 0
        body = b""
        while rest:
            body = await self._reader.read(min(rest, len(PIECE)))
            rest -= len(body)
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"Not what was asked for: {head!r} {body!r}")
        return length


async def load(url: str, act: str, prefix: str, count: int, size: int, connections: int) -> float:
    """Seconds for all of it, on all connections at once; a few objects first to warm up."""
    callers = [await Caller(url, size).open() for _ in range(connections)]
    for number in range(min(WARM_UP, count)):
        if size <= len(PIECE):
            await getattr(callers[number % connections], act)(f"{prefix}warm-{number}")

    async def run(first: int) -> None:
        for number in range(first, count, connections):
            await getattr(callers[first], act)(f"{prefix}{size}-{number}")

    begin = perf_counter()
    await asyncio.gather(*(run(first) for first in range(connections)))
    return perf_counter() - begin


if __name__ == "__main__":
    url, act, prefix, *numbers = sys.argv[1:]
    count, size, connections = map(int, numbers)
    print(json.dumps(uvloop.run(load(url, act, prefix, count, size, connections))))
