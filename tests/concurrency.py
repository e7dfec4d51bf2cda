"""Several callers at the same time, in an order the test decides."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import dict_row

from nlctl.database import act_as
from tests.callers import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from tests.callers import Person
    from tests.databases import Database

PATIENCE_SECONDS = 60


@contextmanager
def transaction_of(person: Person) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """A transaction of this person that stays open until the test commits or leaves it."""
    url = person.database.authenticator_url
    with psycopg.connect(url, row_factory=dict_row) as connection:
        act_as(connection, person.caller)
        yield connection


@contextmanager
def in_background(act: Callable[[], Any]) -> Iterator[Future[Any]]:
    """Start `act` in another thread; its result or exception is in the future."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        yield pool.submit(act)


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What comes of each act when all begin at the same instant: its answer or its refusal."""
    start = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        start.wait()
        try:
            return act()
        except Refused as refusal:
            return refusal

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def wait_until_somebody_waits(database: Database, sessions: int = 1) -> None:
    """Return as soon as so many sessions of this database are held up by another."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with database.connect() as observer:
        while _count_waiting(observer) < sessions:
            if time.monotonic() > deadline:
                raise AssertionError(f"{_count_waiting(observer)} of {sessions} sessions wait.")


def _count_waiting(observer: psycopg.Connection) -> int:
    row = observer.execute(
        "select count(*) from pg_stat_activity "
        "where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0"
    ).fetchone()
    return row[0] if row else 0
