"""The worker beside the API: there while the stack runs, gone when it ends, however it ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import psutil
import psycopg
import pytest

from tests import checkouts
from tests.local.asking import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.checkouts import Checkout

JOBS = "select 1 from procrastinate.procrastinate_jobs where status <> 'succeeded'"
WORKERS = "select 1 from procrastinate.procrastinate_workers"
REMOVE = """
select app.enqueue('remove-storage-object', '{"bucket": "resources", "name": "x"}', 'storage')
"""


@pytest.fixture(scope="module")
def checkout() -> Iterator[Checkout]:
    """A checkout of the product, with its stack running."""
    made = checkouts.copy()
    made.answer("up")
    yield made
    made.remove()


def ask(checkout: Checkout, query: str) -> list[tuple[object, ...]]:
    told = json.loads((checkout.root / ".nlctl" / "stack.json").read_text())
    with psycopg.connect(told["database_url"]) as connection:
        return connection.execute(query.encode()).fetchall()


def api_of(checkout: Checkout) -> psutil.Process:
    told = json.loads((checkout.root / ".nlctl" / "api.json").read_text())
    return psutil.Process(told["pid"])


def worker_of(checkout: Checkout) -> psutil.Process:
    """The worker, which the API's process has for a child."""
    children: list[psutil.Process] = []

    def look() -> bool:
        children[:] = api_of(checkout).children()
        return bool(children) and bool(ask(checkout, WORKERS))

    assert eventually(look)
    return children[0]


def has_ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_what_is_queued_is_done_through_the_api(checkout: Checkout) -> None:
    worker_of(checkout)
    ask(checkout, REMOVE)

    assert eventually(lambda: not ask(checkout, JOBS))
    said = checkout.nlctl("logs", "worker").stdout
    assert "worker INFO serves storage" in said
    assert "worker INFO remove-storage-object 1 is done" in said
    assert checkout.answer("status")["worker"] == "runs"


def test_a_killed_worker_is_replaced(checkout: Checkout) -> None:
    killed = worker_of(checkout)
    killed.kill()

    assert eventually(lambda: has_ended(killed))
    assert eventually(lambda: any(not has_ended(each) for each in api_of(checkout).children()))


def test_a_killed_api_leaves_no_worker_behind(checkout: Checkout) -> None:
    worker = worker_of(checkout)
    api = api_of(checkout)
    api.kill()

    assert eventually(lambda: has_ended(worker))
    checkout.answer("up")


def test_down_ends_the_worker_in_peace(checkout: Checkout) -> None:
    worker = worker_of(checkout)
    checkout.answer("down")

    assert has_ended(worker)
    log = (checkout.root / ".nlctl" / "api.log").read_text()
    assert log.rstrip().endswith("worker INFO stopped")


def test_a_project_without_functions_has_no_worker(checkout: Checkout) -> None:
    functions = checkout.root / "functions"
    functions.rename(functions.with_name("none"))
    try:
        told = checkout.answer("up")
    finally:
        functions.with_name("none").rename(functions)

    assert told["worker"] is None
    assert api_of(checkout).children() == []
