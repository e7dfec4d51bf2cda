"""A full disk under a stack that runs: it says so, goes on reading, and loses nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest

from nlctl.local import keys
from tests import checkouts, disks, stacks
from tests.local.asking import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.checkouts import Checkout

THINGS = """
create table public.things (content text);
grant select, insert on public.things to service_role;
"""
LARGE = 4_000_000
OBJECT = "/storage/v1/object/resources/full-disk.txt"


@pytest.fixture(scope="module")
def checkout() -> Iterator[Checkout]:
    """A checkout that keeps its state on a small disk of its own, and runs."""
    made = checkouts.copy()
    try:
        with disks.small(made.root / ".nlctl", "260m"):
            told = made.answer("up")
            with psycopg.connect(told["database_url"]) as connection:
                connection.execute(THINGS)
            yield made
            made.nlctl("down")
    finally:
        made.remove()


@pytest.fixture
def http(checkout: Checkout) -> Iterator[httpx.Client]:
    """A server that calls its API."""
    url = checkout.answer("up")["api_url"]
    headers = {"apikey": keys.SECRET_KEY}
    with httpx.Client(base_url=url, headers=headers, timeout=60) as http:
        assert eventually(lambda: count_of_things(http) is not None)
        yield http


def count_of_things(http: httpx.Client) -> int | None:
    answer = http.head("/rest/v1/things", headers={"prefer": "count=exact"})
    return int(answer.headers["content-range"].partition("/")[2]) if answer.is_success else None


def keep_thing(http: httpx.Client) -> httpx.Response:
    """A row that needs more room than a database has in reserve."""
    return http.post("/rest/v1/things", json={"content": os.urandom(LARGE // 2).hex()})


def upload(http: httpx.Client) -> httpx.Response:
    headers = {"content-type": "text/plain", "x-upsert": "true"}
    return http.post(OBJECT, content=bytes(LARGE), headers=headers)


def sign_up(http: httpx.Client) -> httpx.Response:
    account = {"email": stacks.new_address("ada"), "password": stacks.PASSWORD}
    return http.post("/auth/v1/signup", json=account)


def test_what_needs_room_is_refused_until_there_is_some(
    checkout: Checkout, http: httpx.Client
) -> None:
    assert keep_thing(http).status_code == 201
    assert upload(http).status_code == 200

    with disks.filled(checkout.root / ".nlctl"):
        refused = keep_thing(http)
        assert (refused.status_code, refused.json()["code"]) == (503, "53100")
        assert "No space left on device" in refused.json()["message"]
        assert upload(http).status_code == 500
        assert count_of_things(http) == 1
        assert len(http.get(OBJECT).content) == LARGE

    assert keep_thing(http).status_code == 201
    assert upload(http).status_code == 200
    assert sign_up(http).status_code == 200
    assert count_of_things(http) == 2


def test_up_says_in_one_line_that_the_disk_is_full(checkout: Checkout, http: httpx.Client) -> None:
    before = count_of_things(http)
    checkout.answer("down")

    with disks.filled(checkout.root / ".nlctl"):
        done = checkout.nlctl("up")

    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: The disk is full")
    checkout.answer("up")
    assert count_of_things(http) == before
