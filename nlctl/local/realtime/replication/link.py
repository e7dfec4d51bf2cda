"""Link: a replication connection whose slot ends with it.

A slot makes PostgreSQL keep its log until it is read. This one is temporary: whatever happens to
this process, the slot goes when the connection does, and never fills a disk. The price is that a
new link starts at the present; what was committed in between is for the caller to find, and the
snapshot that a new slot comes with says exactly what that is.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, LiteralString
from uuid import uuid4

import psycopg
from psycopg import generators, pq, sql, waiting
from psycopg.rows import dict_row

from nlctl.local.realtime.replication import pgoutput
from nlctl.local.realtime.replication.pgoutput import EPOCH, Commit, Entry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

Row = dict[str, Any]

BATCH = 500
REPORT_SECONDS = 1.0
# The log is sent as text, in the same words whatever the project's settings are.
OPTIONS = "-c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=1 -c bytea_output=hex"

_DATA = ord("w")
_ALIVE = ord("k")
_DATA_HEADER = 25
_KEEPALIVE = struct.Struct("!cQqB")
_REPORT = struct.Struct("!cQQQqB")


class LinkEnded(Exception):
    """The server has ended the stream."""


class Link:
    """A connection that first reads like any other, and then hears of every commit."""

    def __init__(self, connection: psycopg.AsyncConnection[Row], name: str) -> None:
        self._connection = connection
        self._slot = f"nlctl_{name}_{uuid4().hex[:12]}"
        self._read_to = 0
        self._reported_at = 0.0

    async def make_slot(self) -> None:
        """Choose the present as the beginning, and open a transaction that sees what is before.

        PostgreSQL waits here for every transaction that is writing at this moment.
        """
        await self._connection.execute("begin isolation level repeatable read read only")
        # Replication commands are told from SQL by their capitals.
        command = sql.SQL("CREATE_REPLICATION_SLOT {} TEMPORARY LOGICAL pgoutput (SNAPSHOT 'use')")
        await self._connection.execute(command.format(sql.Identifier(self._slot)))

    async def rows(self, query: LiteralString, values: Row) -> list[Row]:
        """What a query finds before the beginning, inside the transaction of `make_slot`."""
        # A replication connection does not take parameters apart from the text.
        cursor = psycopg.AsyncClientCursor(self._connection, row_factory=dict_row)
        return await (await cursor.execute(query, values)).fetchall()

    async def start(self, publications: Iterable[str]) -> None:
        """End that transaction and let the stream begin."""
        await self._connection.execute("commit")
        names = ",".join(f'"{name}"' for name in publications)
        command = sql.SQL(
            "START_REPLICATION SLOT {} LOGICAL 0/0 (proto_version '1', publication_names {})"
        ).format(sql.Identifier(self._slot), sql.Literal(names))
        server = self._connection.pgconn
        server.send_query(command.as_bytes(self._connection))
        [result] = await waiting.wait_async(generators.execute(server), server.socket)
        if result.status != pq.ExecStatus.COPY_BOTH:
            raise psycopg.errors.error_from_result(result)

    async def batches(self) -> AsyncIterator[list[Entry]]:
        """Everything that is committed from the beginning on; what is there at once, at once."""
        while True:
            batch = self._received()
            if batch:
                yield batch
            self._report()
            if len(batch) < BATCH:
                await self._wait()
            else:
                await asyncio.sleep(0)  # others want their turn in a long transaction

    def _received(self) -> list[Entry]:
        server = self._connection.pgconn
        batch: list[Entry] = []
        while len(batch) < BATCH:
            size, data = server.get_copy_data(1)
            if size == 0:
                return batch
            if size < 0:
                raise self._end()
            if data[0] == _DATA:
                batch.append(self._open(bytes(data[_DATA_HEADER:])))
            elif data[0] == _ALIVE:
                self._note_alive(bytes(data))
        return batch

    def _open(self, data: bytes) -> Entry:
        entry = pgoutput.decode(data)
        if isinstance(entry, Commit):
            self._read_to = entry.end_lsn
        return entry

    def _note_alive(self, data: bytes) -> None:
        _, end_lsn, _, wants_answer = _KEEPALIVE.unpack(data)
        self._read_to = max(self._read_to, end_lsn)
        if wants_answer:
            self._reported_at = 0.0

    def _end(self) -> Exception:
        result = self._connection.pgconn.get_result()
        if result is not None and result.status == pq.ExecStatus.FATAL_ERROR:
            return psycopg.errors.error_from_result(result)
        return LinkEnded("The server has ended the stream.")

    def _report(self) -> None:
        """Say how far we are, so that the server may forget what is before.

        No batch is asked for twice: a new link makes a new slot. So what was received counts.
        """
        now = time.monotonic()
        if now - self._reported_at < REPORT_SECONDS:
            return
        self._reported_at = now
        clock = time.time_ns() // 1000 - EPOCH
        here = self._read_to
        server = self._connection.pgconn
        server.put_copy_data(_REPORT.pack(b"r", here, here, here, clock, 0))
        server.flush()

    async def _wait(self) -> None:
        """Return when there may be something to read, or to say."""
        loop = asyncio.get_running_loop()
        server = self._connection.pgconn
        readable = asyncio.Event()
        loop.add_reader(server.socket, readable.set)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(REPORT_SECONDS):
                    await readable.wait()
        finally:
            loop.remove_reader(server.socket)
        server.consume_input()


@asynccontextmanager
async def open_link(url: str, name: str) -> AsyncIterator[Link]:
    """A link for the length of the block."""
    connection = await psycopg.AsyncConnection.connect(
        url,
        autocommit=True,
        prepare_threshold=None,
        row_factory=dict_row,
        replication="database",
        application_name=f"nlctl realtime {name}",
        options=OPTIONS,
        client_encoding="utf8",
        connect_timeout=10,
    )
    try:
        yield Link(connection, name)
    finally:
        # Without a goodbye: the server may be waiting for others, and notices anyway.
        connection.pgconn.finish()
