"""Load for bench.data_api over bare sockets: URL get|rpc CONNECTIONS SECONDS

Each connection asks, waits for the whole answer, and asks again. They take turns in one thread
that does little else, so that it is the server that is measured.
"""

from __future__ import annotations

import json
import select
import socket
import sys
from itertools import cycle
from time import perf_counter
from urllib.parse import urlsplit

from bench.data_api import CLAIMS
from nlctl.local import keys
from nlctl.local.tokens import Keyring

WARM_UP_SECONDS = 0.5
LARGEST_PIECE = 65536


def headers(subject: str, body: str = "") -> dict[str, str]:
    """What each request says of itself."""
    said = {
        "host": "localhost",
        "apikey": keys.PUBLISHABLE_KEY,
        "authorization": f"Bearer {Keyring(keys.JWT_SECRET).sign(CLAIMS)}",
        "accept": "*/*",
        "user-agent": "bench",
    }
    if subject == "get":
        return said
    return {**said, "content-type": "application/json", "content-length": str(len(body))}


def requests(subject: str) -> list[bytes]:
    """A few hundred requests that differ in their values only."""
    if subject == "get":
        return [
            _request(f"GET /rest/v1/readings?id=eq.{2 * number}&select=*", headers(subject))
            for number in range(1, 500)
        ]
    bodies = [json.dumps({"p_first": n, "p_last": n + 20}) for n in range(1, 500)]
    return [_request("POST /rest/v1/rpc/mean_value", headers(subject, b), b) for b in bodies]


def _request(target: str, said: dict[str, str], body: str = "") -> bytes:
    lines = [f"{target} HTTP/1.1", *(f"{name}: {value}" for name, value in said.items())]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


class Caller:
    """One connection, and what it waits for."""

    def __init__(self, url: str, asked: list[bytes]) -> None:
        place = urlsplit(url)
        self.socket = socket.create_connection((place.hostname, place.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._asked = cycle(asked)
        self._answer = b""
        self._began = 0.0

    def ask(self) -> None:
        """Send the next request."""
        self._answer = b""
        self._began = perf_counter()
        self.socket.sendall(next(self._asked))

    def hear(self) -> float | None:
        """Take what has come; how long the answer took, once it is whole."""
        self._answer += self.socket.recv(LARGEST_PIECE)
        head, end, body = self._answer.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.partition(b"content-length: ")[2].split(b"\r")[0]):
            return None
        if not head.startswith(b"HTTP/1.1 200") or body in {b"[]", b"null"}:
            raise RuntimeError(f"Not what was asked for: {head!r} {body!r}")
        return perf_counter() - self._began


def load(callers: list[Caller], seconds: float) -> list[float]:
    """Seconds that each answer took, with all callers asking again and again."""
    by_socket = {caller.socket: caller for caller in callers}
    taken: list[float] = []
    until = perf_counter() + seconds
    for caller in callers:
        caller.ask()
    while by_socket:
        for heard in _ready(list(by_socket)):
            duration = by_socket[heard].hear()
            if duration is None:
                continue
            taken.append(duration)
            if perf_counter() < until:
                by_socket[heard].ask()
            else:
                del by_socket[heard]
    return sorted(taken)


def _ready(sockets: list[socket.socket]) -> list[socket.socket]:
    """Those that have something to read; a single one is waited for by reading it."""
    return sockets if len(sockets) == 1 else select.select(sockets, [], [])[0]


def summary(taken: list[float], seconds: float) -> dict[str, float]:
    """What bench.data_api.Measure holds, of sorted times."""
    return {
        "per_second": len(taken) / seconds,
        "quick_ms": taken[len(taken) // 10] * 1000,
        "median_ms": taken[len(taken) // 2] * 1000,
        "slowest_ms": taken[int(len(taken) * 0.99)] * 1000,
    }


def main(url: str, subject: str, connections: str, seconds: str) -> None:
    """Ask on all connections at once, first to warm up."""
    asked = requests(subject)
    callers = [Caller(url, asked) for _ in range(int(connections))]
    load(callers, WARM_UP_SECONDS)
    print(json.dumps(summary(load(callers, float(seconds)), float(seconds))))
    for caller in callers:
        caller.socket.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
