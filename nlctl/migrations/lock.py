"""The lock: one runner at a time in one database."""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from psycopg.pq import TransactionStatus

from nlctl.errors import MigrationsBusy
from nlctl.migrations import history

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psycopg import Connection

KEY = int.from_bytes(b"nlctl")
LOST = "NL001"
# For the length of a transaction. Only the holder, or anybody when nobody holds it, can have it.
KEEP = f"""do $$ begin
  if not pg_try_advisory_xact_lock({KEY}) then
    raise exception 'the migrations lock is held by another session' using errcode = '{LOST}';
  end if;
end $$"""
_SHORTEST_PAUSE = 0.02
_LONGEST_PAUSE = 0.5


@contextmanager
def held(connection: Connection, timeout: float, notice: Callable[[str], None]) -> Iterator[None]:
    """Hold the runners' lock on this session, or say who has kept it for `timeout` seconds.

    It asks again and again rather than wait inside one statement: a waiting statement keeps a
    snapshot, `create index concurrently` waits for every older snapshot, and the two would
    deadlock. The connection must be in autocommit for the same reason.
    """
    deadline = time.monotonic() + timeout
    pause = _SHORTEST_PAUSE
    while not _take(connection):
        if pause == _SHORTEST_PAUSE:
            notice("Waiting for another runner to finish.")
        if time.monotonic() >= deadline:
            raise _busy(connection, timeout)
        time.sleep(min(pause * random.uniform(0.5, 1), max(0, deadline - time.monotonic())))  # noqa: S311
        pause = min(pause * 1.5, _LONGEST_PAUSE)
    try:
        yield
    finally:
        if connection.info.transaction_status is TransactionStatus.IDLE:  # else it goes by itself
            connection.execute("select pg_advisory_unlock(%s)", (KEY,))


def is_ours(connection: Connection) -> bool:
    """Whether the server process we speak to now is the one that took the lock."""
    holder = history.find_lock_holder(connection, KEY)
    return holder is not None and holder["is_me"]


def _take(connection: Connection) -> bool:
    row = connection.execute("select pg_try_advisory_lock(%s)", (KEY,)).fetchone()
    return bool(row and row[0])


def _busy(connection: Connection, timeout: float) -> MigrationsBusy:
    holder = history.find_lock_holder(connection, KEY)
    who = "another runner"
    if holder:
        since = holder["backend_start"]
        who = f"process {holder['pid']} ({holder['application_name'] or 'unnamed'}"
        who += f", connected since {since:%Y-%m-%d %H:%M:%S %Z})" if since else ")"
    return MigrationsBusy(
        f"After {timeout:g} s the migrations lock is still held by {who}. Nothing was run.",
        hint="Wait for it, raise --lock-timeout, or end it with pg_terminate_backend.",
    )
