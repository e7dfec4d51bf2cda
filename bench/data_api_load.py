"""Load for bench.data_api over bare sockets: URL get|rpc CONNECTIONS SECONDS

Each connection asks, waits for the whole answer, and asks again.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from itertools import cycle
from time import perf_counter
from urllib.parse import urlsplit

import uvloop

from bench.data_api import OWNER
from nlctl.local import keys
from nlctl.local.tokens import Keyring

WARM_UP_SECONDS = 0.5
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


def requests(subject: str) -> list[bytes]:
    """A few hundred requests that differ in their values only."""
    token = Keyring(keys.JWT_SECRET).sign(
        {"role": "authenticated", "sub": OWNER, "aud": "authenticated", "aal": "aal1"}
    )
    common = (
        f"Host: localhost\r\napikey: {keys.PUBLISHABLE_KEY}\r\nAuthorization: Bearer {token}\r\n"
        "Accept: */*\r\nUser-Agent: bench\r\n"
    )
    if subject == "get":
        return [
            f"GET /rest/v1/readings?id=eq.{2 * number}&select=* HTTP/1.1\r\n{common}\r\n".encode()
            for number in range(1, 500)
        ]
    bodies = [json.dumps({"p_first": n, "p_last": n + 20}) for n in range(1, 500)]
    head = f"POST /rest/v1/rpc/mean_value HTTP/1.1\r\n{common}Content-Type: application/json\r\n"
    return [f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode() for body in bodies]


async def ask(url: str, asked: list[bytes], until: float) -> list[float]:
    """Seconds that each answer took, on one connection."""
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    taken: list[float] = []
    for request in cycle(asked):
        begin = perf_counter()
        if begin > until:
            break
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        body = await reader.readexactly(int(length[1]) if length else 0)
        taken.append(perf_counter() - begin)
        if not head.startswith(b"HTTP/1.1 200") or body in {b"[]", b"null"}:
            raise RuntimeError(f"Not what was asked for: {head!r} {body!r}")
    writer.close()
    return taken


async def load(url: str, subject: str, connections: int, seconds: float) -> dict[str, float]:
    """Ask on all connections at once, first to warm up."""
    asked = requests(subject)
    taken: list[float] = []
    for period in (WARM_UP_SECONDS, seconds):
        until = perf_counter() + period
        runs = [ask(url, asked, until) for _ in range(connections)]
        taken = sorted(one for run in await asyncio.gather(*runs) for one in run)
    return summary(taken, seconds)


def summary(taken: list[float], seconds: float) -> dict[str, float]:
    """What bench.data_api.Measure holds, of sorted times."""
    return {
        "per_second": len(taken) / seconds,
        "median_ms": taken[len(taken) // 2] * 1000,
        "slowest_ms": taken[int(len(taken) * 0.99)] * 1000,
    }


if __name__ == "__main__":
    url, subject, connections, seconds = sys.argv[1:]
    print(json.dumps(uvloop.run(load(url, subject, int(connections), float(seconds)))))
