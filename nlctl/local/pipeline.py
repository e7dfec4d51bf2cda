"""Pipeline: statements sent to PostgreSQL in one go, their results read as they come.

Driven through psycopg's libpq, since one request is four statements in one round trip and
everything on top of libpq would cost more than the statements do.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

import psycopg
from psycopg import pq
from psycopg.errors import error_from_result

from nlctl.local.busy_polling import BusyPolling

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from psycopg.pq.abc import PGresult

REMEMBERED = 256
"""Statements kept prepared on each connection."""
BINARY = 1
IDLE = pq.TransactionStatus.IDLE
Key = tuple[str, bytes]

_ANSWERED = {pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK}


class Unreachable(psycopg.OperationalError):
    """No connection could be opened."""


class Lost(psycopg.OperationalError):
    """The connection broke; whether what was sent was done, nobody knows."""


class Exhausted(psycopg.OperationalError):
    """Every connection was in use for too long."""


class Step(NamedTuple):
    """One statement. Statements of one `kind` and text are prepared once and reused.

    The kind is the role for what row level security applies to: PostgreSQL plans such a
    statement anew each time the role changes, so each role has its own.
    """

    text: bytes
    parameters: Sequence[bytes | None] = ()
    kind: str = ""


@dataclass(slots=True)
class _Sent:
    """What went out together: which results are the steps', and which statements are new."""

    wanted: list[int]
    prepared: list[tuple[int, Key, bytes]]
    results: list[PGresult]
    done: asyncio.Future[None]


class Connection:
    """One connection to PostgreSQL, used by one request at a time."""

    def __init__(self, connection: psycopg.AsyncConnection[object], polling: BusyPolling) -> None:
        self._connection = connection  # which would hang up if it were forgotten
        self._polling = polling
        self._pgconn = connection.pgconn
        self._socket = self._pgconn.socket
        self._loop = asyncio.get_running_loop()
        self._names: dict[Key, bytes] = {}
        self._numbers = count(1)
        self._sent: _Sent | None = None
        self._is_writing = False
        self.is_usable = True
        self._pgconn.nonblocking = 1
        self._pgconn.enter_pipeline_mode()
        self._loop.add_reader(self._socket, self._read)

    @classmethod
    async def open(cls, url: str, name: str, polling: BusyPolling | None = None) -> Connection:
        """Connect and log in."""
        try:
            connection = await psycopg.AsyncConnection.connect(
                url, autocommit=True, application_name=name, client_encoding="utf8"
            )
        except psycopg.Error as error:
            raise Unreachable(str(error).strip()) from error
        return cls(connection, polling or BusyPolling())

    async def run(self, steps: Sequence[Step]) -> list[PGresult]:
        """Send the steps together and wait for all of their results.

        After one that fails none is run, and its error is raised. A transaction that was open is
        still open then.
        """
        sent = await self._exchange(steps)
        for place, key, name in sent.prepared:
            if sent.results[place].status == pq.ExecStatus.COMMAND_OK:
                self._names[key] = name
        for result in sent.results:
            if result.status not in _ANSWERED:
                raise error_from_result(result, encoding="utf-8")
        return [sent.results[place] for place in sent.wanted]

    @property
    def is_in_transaction(self) -> bool:
        return self.is_usable and self._pgconn.transaction_status != IDLE

    def forget(self) -> None:
        """Prepare statements anew, as when one of them is not valid any more."""
        self._names.clear()

    def close(self) -> None:
        """Hang up, and tell whoever waits for an answer."""
        if not self.is_usable:
            return
        self.is_usable = False
        self._loop.remove_reader(self._socket)
        self._stop_writing()
        self._pgconn.finish()
        if self._sent and not self._sent.done.done():
            self._sent.done.set_exception(Lost())

    async def _exchange(self, steps: Sequence[Step]) -> _Sent:
        if not self.is_usable:
            raise Lost()
        try:
            self._sent = self._send(steps)
            self._flush()
            await self._polling.wait(self._sent.done)
            return self._sent
        except psycopg.OperationalError as error:
            self.close()
            raise Lost(str(error).strip()) from error
        except asyncio.CancelledError:
            self.close()  # or this answer would be taken for the next one's
            raise
        finally:
            self._sent = None

    def _send(self, steps: Sequence[Step]) -> _Sent:
        pgconn = self._pgconn
        sent = _Sent([], [], [], self._loop.create_future())
        place = 0
        # Not within a transaction: one that has failed lets nothing be done but end it.
        if len(self._names) > REMEMBERED and not self.is_in_transaction:
            self._names.clear()
            pgconn.send_query_params(b"deallocate all", None)
            place += 1
        for step in steps:
            key = (step.kind, step.text)
            name = self._names.get(key)
            if name is None:
                name = b"s%d" % next(self._numbers)
                pgconn.send_prepare(name, step.text)
                sent.prepared.append((place, key, name))
                place += 1
            pgconn.send_query_prepared(name, step.parameters, result_format=BINARY)
            sent.wanted.append(place)
            place += 1
        pgconn.pipeline_sync()
        return sent

    def _flush(self) -> None:
        """Hand the network what it takes now, and the rest when it takes more."""
        if self._pgconn.flush() == 0:
            self._stop_writing()
        elif not self._is_writing:
            self._is_writing = True
            self._loop.add_writer(self._socket, self._write)

    def _write(self) -> None:
        try:
            self._flush()
        except psycopg.OperationalError:
            self.close()

    def _stop_writing(self) -> None:
        if self._is_writing:
            self._is_writing = False
            self._loop.remove_writer(self._socket)

    def _read(self) -> None:
        try:
            self._pgconn.consume_input()
            if self._sent:
                self._take_results(self._sent)
        except psycopg.OperationalError:
            self.close()

    def _take_results(self, sent: _Sent) -> None:
        """Results end with None each, and all of them with that of the synchronisation."""
        while not self._pgconn.is_busy():
            result = self._pgconn.get_result()
            if result is None:
                return
            if result.status == pq.ExecStatus.PIPELINE_SYNC:
                if not sent.done.done():
                    sent.done.set_result(None)
                return
            sent.results.append(result)
            self._pgconn.get_result()  # the None


class Pool:
    """Connections that requests take turns on, opened as they are needed."""

    def __init__(self, url: str, name: str, *, size: int, patience: float) -> None:
        self._url = url
        self._name = name
        self._size = size
        self._patience = patience
        self._opened = 0
        self._idle: list[Connection] = []
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._polling = BusyPolling()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection until the end of the block."""
        connection = await self.acquire()
        try:
            yield connection
        finally:
            self.release(connection)

    async def acquire(self) -> Connection:
        """A connection for one request; the one used last is the warmest."""
        while True:
            connection = self._take_idle()
            if connection:
                return connection
            if self._opened < self._size:
                return await self._open()
            connection = await self._wait()
            if connection:
                return connection

    def release(self, connection: Connection) -> None:
        """Hand it to whoever waits longest. What cannot be used makes room for a new one.

        Nor can one amid a transaction, which would be somebody else's.
        """
        if connection.is_in_transaction:
            connection.close()
        if not connection.is_usable:
            self._opened -= 1
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(connection if connection.is_usable else None)
                return
        if connection.is_usable:
            self._idle.append(connection)

    def close(self) -> None:
        """Hang up on what nobody uses."""
        while self._idle:
            self._idle.pop().close()
            self._opened -= 1

    def _take_idle(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable:
                return connection
            self._opened -= 1
        return None

    async def _open(self) -> Connection:
        self._opened += 1
        try:
            return await Connection.open(self._url, self._name, self._polling)
        except BaseException:
            self._opened -= 1
            self._wake_one()
            raise

    def _wake_one(self) -> None:
        """There may be room again: let who waits see for themselves."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    async def _wait(self) -> Connection | None:
        waiter: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            async with asyncio.timeout(self._patience):
                return await waiter
        except BaseException as error:
            if waiter.done() and not waiter.cancelled():
                given = waiter.result()
                self.release(given) if given else self._wake_one()
            if isinstance(error, TimeoutError):
                raise Exhausted() from error
            raise
