"""Crowds before the API: memory returns however often they come, and others are answered."""

from __future__ import annotations

import json
import socket
import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from nlctl.local import connections, keys
from tests import checkouts
from tests.local.asking import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.checkouts import Checkout

CROWD = 1000
ROUNDS = 5
ALLOWED_GROWTH = 20  # megabytes in all later rounds, which is 5 kB for each of their callers
FEW = 50
MEGABYTE = 1024 * 1024
KEY = {"apikey": keys.PUBLISHABLE_KEY}
GREETING = (
    f"GET /realtime/v1/websocket?apikey={keys.PUBLISHABLE_KEY} HTTP/1.1\r\nHost: x\r\n"
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
).encode()


@pytest.fixture(scope="module", autouse=True)
def _room_for_a_crowd() -> None:
    connections.allow_many()


@pytest.fixture(scope="module")
def checkout() -> Iterator[Checkout]:
    """A checkout of the product that runs."""
    made = checkouts.copy()
    made.answer("up")
    yield made
    made.remove()


@pytest.fixture(scope="module")
def url(checkout: Checkout) -> str:
    """Where its API answers."""
    told: str = checkout.answer("status")["api_url"]
    return told


@pytest.fixture(scope="module")
def process(checkout: Checkout) -> psutil.Process:
    """The process of its API."""
    told = json.loads((checkout.root / ".nlctl" / "api.json").read_text())
    return psutil.Process(told["pid"])


def read_theme(url: str) -> int:
    path = "/rest/v1/rpc/get_active_theme_tokens"
    return httpx.get(f"{url}{path}", headers=KEY, timeout=60).status_code


@contextmanager
def callers(url: str, count: int) -> Iterator[list[socket.socket]]:
    """So many connections, until the end of the block."""
    place = urlsplit(url)
    address = (place.hostname or "", place.port or 0)
    with ExitStack() as opened:
        connect = partial(socket.create_connection, address, timeout=60)
        yield [opened.enter_context(connect()) for _ in range(count)]


def come_and_go(url: str) -> None:
    """Ask, or half ask, and wait for no answer."""
    request = b"GET /rest/v1/rpc/get_active_theme_tokens HTTP/1.1\r\nHost: x\r\n\r\n"
    with callers(url, CROWD) as crowd:
        for number, caller in enumerate(crowd):
            caller.sendall(request if number % 3 == 0 else request[: number % len(request)])


def join_and_go(url: str) -> None:
    """Open a websocket, join one of ten channels, and hang up without a word."""
    with callers(url, CROWD) as crowd:
        for number, caller in enumerate(crowd):
            caller.sendall(GREETING + join(f"realtime:crowd {number % 10}"))
        for caller in crowd:
            assert caller.recv(400).startswith(b"HTTP/1.1 101 ")


def join(topic: str) -> bytes:
    """The frame that joins a channel, masked with zeros."""
    said = json.dumps({"topic": topic, "event": "phx_join", "payload": {}, "ref": "1"}).encode()
    assert len(said) < 126
    return struct.pack("!BB", 0x81, 0x80 | len(said)) + bytes(4) + said


def send_too_much(url: str) -> None:
    """Bodies of 80 MB where no more is taken than the services allow."""

    def body() -> Iterator[bytes]:
        yield b'{"email": "'
        for _ in range(80):
            yield b"x" * MEGABYTE
        yield b'"}'

    for path in ("/rest/v1/rpc/get_active_theme_tokens", "/auth/v1/signup"):
        headers = {**KEY, "content-type": "application/json"}
        try:
            answer = httpx.post(f"{url}{path}", headers=headers, content=body(), timeout=60)
        except httpx.TransportError:  # refused before the end was sent
            continue
        assert answer.status_code == 413


def be_slow(url: str) -> None:
    """Begin requests and do not end them while somebody else asks."""
    with callers(url, CROWD // 5) as slow:
        for number, one in enumerate(slow):
            one.sendall(b"POST /rest/v1/rpc/get_active_theme_tokens HTTP/1.1\r\nHost: x\r\n")
            if number % 2:
                one.sendall(b"Content-Length: 9000\r\nContent-Type: application/json\r\n\r\n{")
                one.sendall(b" " * 5000)
        assert read_theme(url) == 200


def remembered(process: psutil.Process) -> float:
    """Megabytes in memory once everybody has gone."""
    assert eventually(lambda: len(process.net_connections("tcp")) < FEW)
    return float(process.memory_info().rss / MEGABYTE)


@contextmanager
def somebody_else(url: str) -> Iterator[list[int]]:
    """The statuses of whoever calls meanwhile, again and again."""
    statuses: list[int] = []
    is_over = threading.Event()

    def call() -> None:
        while not is_over.is_set():
            statuses.append(read_theme(url))

    with ThreadPoolExecutor(1) as pool:
        calling = pool.submit(call)
        try:
            yield statuses
        finally:
            is_over.set()
        calling.result()


@pytest.mark.parametrize("burden", [come_and_go, join_and_go, send_too_much, be_slow])
def test_a_crowd_leaves_nothing_behind_and_holds_nobody_up(
    url: str, process: psutil.Process, burden: Callable[[str], None]
) -> None:
    with somebody_else(url) as statuses:
        burden(url)  # what a server grows by once is not what it loses each time
        first = remembered(process)
        for _ in range(1, ROUNDS):
            burden(url)

        assert eventually(lambda: remembered(process) < first + ALLOWED_GROWTH)
    assert set(statuses) == {200}
