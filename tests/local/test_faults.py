"""The API over a database that dies, and what its log may tell."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

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


def test_a_database_killed_under_the_api_is_said_and_forgiven(checkout: Checkout, url: str) -> None:
    pid_file = checkout.root / ".nlctl" / "database" / "data" / "postmaster.pid"
    server = psutil.Process(int(pid_file.read_text().split()[0]))
    api = process_of(checkout)
    server.kill()

    assert eventually(lambda: refusal_of(url) is not None)
    signed_in = httpx.post(
        f"{url}/auth/v1/token?grant_type=password",
        headers=KEY,
        json={"email": "ada@example.test", "password": "whatever-1"},
    )
    assert signed_in.status_code in {500, 503}

    checkout.answer("up")
    assert eventually(lambda: read_theme(url).status_code == 200)
    assert process_of(checkout) == api


def refusal_of(url: str) -> str | None:
    """The code of the error that says the database is gone, where it is said."""
    answer = read_theme(url)
    if answer.status_code != 503:
        return None
    code = str(answer.json()["code"])
    assert code.startswith(("PGRST", "57", "08"))
    return code


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
