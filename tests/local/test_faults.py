"""The API under people who are slow, greedy or gone, and over a database that dies."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import psutil
import psycopg
import pytest

from nlctl.local import keys
from tests import checkouts
from tests.local.asking import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.checkouts import Checkout

MEGABYTE = 1024 * 1024
KEY = {"apikey": keys.PUBLISHABLE_KEY}


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


def process_of(checkout: Checkout) -> psutil.Process:
    told = json.loads((checkout.root / ".nlctl" / "api.json").read_text())
    return psutil.Process(told["pid"])


def read_theme(url: str) -> httpx.Response:
    return httpx.get(f"{url}/rest/v1/rpc/get_active_theme_tokens", headers=KEY, timeout=30)


def connect(url: str) -> socket.socket:
    place = urlsplit(url)
    return socket.create_connection((place.hostname or "", place.port or 0), timeout=30)


def megabytes(process: psutil.Process) -> float:
    return process.memory_info().rss / MEGABYTE


def test_a_database_killed_under_the_api_is_said_and_forgiven(checkout: Checkout, url: str) -> None:
    pid_file = checkout.root / ".nlctl" / "database" / "data" / "postmaster.pid"
    server = psutil.Process(int(pid_file.read_text().split()[0]))
    api = process_of(checkout)
    server.kill()

    assert eventually(lambda: read_theme(url).status_code == 503)
    signed_up = httpx.post(
        f"{url}/auth/v1/token?grant_type=password",
        headers=KEY,
        json={"email": "ada@example.test", "password": "whatever-1"},
    )
    assert signed_up.status_code in {500, 503}
    assert read_theme(url).json()["code"].startswith(("PGRST", "57", "08"))

    checkout.answer("up")
    assert eventually(lambda: read_theme(url).status_code == 200)
    assert process_of(checkout) == api


def test_connections_cut_by_the_database_are_made_again(checkout: Checkout, url: str) -> None:
    read_theme(url)
    database_url = checkout.answer("status")["database_url"]
    with psycopg.connect(database_url.replace("postgres:", "supabase_admin:", 1)) as admin:
        admin.execute(
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity where usename = any(%s)",
            (["authenticator", "supabase_auth_admin"],),
        )

    assert eventually(lambda: read_theme(url).status_code == 200)
    assert all(read_theme(url).status_code == 200 for _ in range(20))


def test_slow_callers_hold_nobody_up(url: str) -> None:
    slow = [connect(url) for _ in range(100)]
    try:
        for number, one in enumerate(slow):
            one.sendall(b"POST /rest/v1/rpc/get_active_theme_tokens HTTP/1.1\r\nHost: x\r\n")
            if number % 2:
                one.sendall(b"Content-Length: 1000\r\nContent-Type: application/json\r\n\r\n{")

        assert all(read_theme(url).status_code == 200 for _ in range(20))
    finally:
        for one in slow:
            one.close()


@pytest.mark.parametrize(
    ("path", "megabytes_sent"),
    [("/rest/v1/rpc/get_active_theme_tokens", 80), ("/auth/v1/signup", 3)],
)
def test_a_body_that_is_too_large_is_refused_and_forgotten(
    checkout: Checkout, url: str, path: str, megabytes_sent: int
) -> None:
    process = process_of(checkout)
    before = megabytes(process)

    def body() -> Iterator[bytes]:
        yield b'{"email": "'
        for _ in range(megabytes_sent):
            yield b"x" * MEGABYTE
        yield b'"}'

    headers = {**KEY, "content-type": "application/json"}
    try:
        status = httpx.post(f"{url}{path}", headers=headers, content=body(), timeout=60).status_code
    except httpx.TransportError:  # refused before the end was sent
        status = 413

    assert status == 413
    assert eventually(lambda: megabytes(process) < before + 40)
    assert read_theme(url).status_code == 200


def test_a_thousand_connections_dropped_leave_nothing_behind(checkout: Checkout, url: str) -> None:
    process = process_of(checkout)
    come_and_go(url)  # what a server grows by once is not what it loses each time
    before = megabytes(process)

    come_and_go(url)

    assert eventually(lambda: open_sockets(process) < 50)
    assert eventually(lambda: megabytes(process) < before + 10)
    assert read_theme(url).status_code == 200


def come_and_go(url: str) -> None:
    callers = [connect(url) for _ in range(1000)]
    request = b"GET /rest/v1/rpc/get_active_theme_tokens HTTP/1.1\r\nHost: x\r\n\r\n"
    for number, caller in enumerate(callers):
        caller.sendall(request if number % 3 == 0 else request[: number % len(request)])
    for caller in callers:
        caller.close()


def open_sockets(process: psutil.Process) -> int:
    return len(process.net_connections("tcp"))


def test_nobody_learns_from_the_log_what_was_sent(checkout: Checkout, url: str) -> None:
    httpx.post(
        f"{url}/auth/v1/token?grant_type=password",
        headers=KEY,
        json={"email": "ada@example.test", "password": "Sesame-open-1"},
    )
    httpx.get(f"{url}/auth/v1/verify?token=abcdef123456&type=signup")

    written = (checkout.root / ".nlctl" / "api.log").read_text()
    for secret in ("Sesame-open-1", "abcdef123456", keys.PUBLISHABLE_KEY, keys.SECRET_KEY):
        assert secret not in written
