"""Database: transactions as supabase_storage_admin, in the role of whoever asks."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from functools import cache
from typing import TYPE_CHECKING

import psycopg

from nlctl.database import load_sql
from nlctl.local.pipeline import Pool, Step
from nlctl.local.storage import errors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from psycopg.pq.abc import PGresult

    from nlctl.local.pipeline import Connection

PATIENCE_SECONDS = 10
STALE = {"0A000", "26000"}
"""States of statements prepared before something they use was changed."""

_BRACES = re.compile(r"\{(\w+)\}")

BEGIN = Step(b"begin")
COMMIT = Step(b"commit")
ROLLBACK = Step(b"rollback")


class Database:
    """One project's database as the Storage service sees it."""

    def __init__(self, url: str, connections: int) -> None:
        self._pool = Pool(url, "nlctl storage", size=connections, patience=PATIENCE_SECONDS)

    def close(self) -> None:
        """Hang up."""
        self._pool.close()

    async def run(self, *steps: Step, keep: bool = True) -> list[PGresult]:
        """One transaction in one round trip: the results of `steps`. Without `keep`, a trial."""
        # What is sent together is one transaction anyway, and its end commits it.
        whole = steps if keep else [BEGIN, *steps, ROLLBACK]
        async with self._connection() as connection:
            try:
                results = await _in_transaction(connection, whole)
            except psycopg.Error as error:
                if error.sqlstate not in STALE:
                    raise
                connection.forget()
                results = await _in_transaction(connection, whole)
        return results if keep else results[1:-1]

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """A transaction in several round trips; it commits when the block ends well."""
        async with self._connection() as connection:
            await connection.run([BEGIN])
            try:
                yield Transaction(connection)
            except BaseException:
                if connection.is_usable:
                    await connection.run([ROLLBACK])
                raise
            await connection.run([COMMIT])

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        try:
            async with self._pool.connection() as connection:
                yield connection
        except psycopg.Error as error:
            raise errors.from_database(error) from error


class Transaction:
    """One that is open, between two of its round trips."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def run(self, *steps: Step) -> list[PGresult]:
        """The results of `steps`."""
        return await self._connection.run(steps)


@cache
def query(name: str, **words: str) -> bytes:
    """The text of sql/<name>.sql, with `words` and the files it names in braces filled in."""

    def fill(found: re.Match[str]) -> str:
        return words[found[1]] if found[1] in words else read(found[1])

    def read(file: str) -> str:
        return _BRACES.sub(fill, _load(file))

    return read(name).encode()


def text(result: PGresult, column: int = 0) -> str | None:
    """A column of the first row; None where there is no row or no value."""
    if result.ntuples == 0:
        return None
    value = result.get_value(0, column)
    return None if value is None else value.decode()


def texts(result: PGresult, column: int = 0) -> list[str]:
    """A column of every row, without what is null."""
    values = (result.get_value(row, column) for row in range(result.ntuples))
    return [value.decode() for value in values if value is not None]


def _load(name: str) -> str:
    return load_sql("nlctl.local.storage.sql", name).rstrip()


async def _in_transaction(connection: Connection, steps: Sequence[Step]) -> list[PGresult]:
    """Run steps; where one fails, end the transaction that they leave behind."""
    try:
        return await connection.run(steps)
    except psycopg.Error:
        if connection.is_in_transaction:
            await connection.run([ROLLBACK])
        raise
