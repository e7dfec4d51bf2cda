"""Execution: one file against one connection."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import psycopg
from psycopg.errors import DeadlockDetected, LockNotAvailable

from nlctl import database
from nlctl.errors import InvalidInput, MigrationFailed
from nlctl.migrations import failure, history, lock, plan, session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psycopg import Connection
    from psycopg.errors import Diagnostic

    from nlctl.migrations.files import Migration
    from nlctl.migrations.statements import Statement

_RELOAD = "notify pgrst, 'reload schema'"  # the Data API keeps the schema in mind
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 8.0


@dataclass(frozen=True)
class Patience:
    """How long one statement may wait for a table, and how often to come back for it."""

    table_lock_timeout: float
    tries: int


@dataclass(frozen=True)
class Execution:
    """Runs files on a connection in autocommit that holds the lock."""

    connection: Connection
    patience: Patience
    notice: Callable[[str], None]

    def apply(self, migration: Migration, *, out_of_order: bool) -> int:
        """Run and record one file; the milliseconds it took."""
        start = time.perf_counter()
        if migration.is_transactional:
            self._retry(lambda: self._apply_at_once(migration, start, out_of_order))
        else:
            self._apply_alone(migration, start, out_of_order)
        return _since(start)

    def rehearse(self, migration: Migration) -> int:
        """Run one file in the transaction of the caller, who rolls it back."""
        start = time.perf_counter()
        self._begin_session()
        self._run(migration)
        return _since(start)

    def _apply_at_once(self, migration: Migration, start: float, out_of_order: bool) -> None:
        self._begin_session()
        try:
            with self.connection.transaction():
                _check_lock(self.connection)
                self._run(migration)
                history.record_applied(
                    self.connection,
                    migration,
                    duration_ms=_since(start),
                    out_of_order=out_of_order,
                )
                self.connection.execute(_RELOAD)
        except psycopg.Error as error:
            raise self._failed(error, migration, None) from error

    def _apply_alone(self, migration: Migration, start: float, out_of_order: bool) -> None:
        _check_lock(self.connection)
        # Written first: if this process is killed, the next runner must not start over blindly.
        history.record_failed(self.connection, migration, "It was started and has not finished.")
        self._begin_session()
        try:
            self._run_alone(migration)
        except KeyboardInterrupt:
            self._give_up(migration, "It was interrupted.")
            raise
        except MigrationFailed as error:
            leftovers = self._give_up(migration, error.message.partition("\n")[0])
            raise MigrationFailed(
                error.message + plan.describe_leftovers(leftovers),
                hint=plan.way_out_of_failure(migration.version),
                code=error.code,
            ) from error.__cause__
        self._begin_session()
        with self.connection.transaction():
            history.record_applied(
                self.connection, migration, duration_ms=_since(start), out_of_order=out_of_order
            )
            self.connection.execute(_RELOAD)

    def _run(self, migration: Migration) -> None:
        with self._listening():
            for statement in migration.statements:
                self._execute(migration, statement)
            # What waits for the commit fails here, where it is still told with its file.
            self._execute(migration, None)
        database.run_script(self.connection, "reset session authorization; reset role")

    def _run_alone(self, migration: Migration) -> None:
        with self._listening():
            for statement in migration.statements:
                if statement.is_concurrent:
                    self._execute_concurrently(migration, statement)
                else:
                    self._retry(partial(self._execute, migration, statement))

    def _execute_concurrently(self, migration: Migration, statement: Statement) -> None:
        # It waits for old transactions but blocks nobody; a timeout would leave an invalid index.
        session.limit_waits(self.connection, 0)
        self._execute(migration, statement)
        session.limit_waits(self.connection, self.patience.table_lock_timeout)

    def _execute(self, migration: Migration, statement: Statement | None) -> None:
        """Run a statement of a file, or its deferred constraints."""
        text = statement.text if statement else "set constraints all immediate"
        try:
            database.run_script(self.connection, text)
        except psycopg.Error as error:
            raise self._failed(error, migration, statement) from error

    def _failed(
        self, error: psycopg.Error, migration: Migration, statement: Statement | None
    ) -> Exception:
        if self.connection.closed:
            return error
        standing = "Nothing of this file was applied."
        if statement and not migration.is_transactional:
            done = migration.statements.index(statement)
            standing = f"{done} of its {len(migration.statements)} statements were applied."
        return MigrationFailed(
            f"{failure.summarise(error, migration, statement)} {standing}"
            + failure.describe(error, migration, statement),
            code=error.sqlstate,
        )

    def _give_up(self, migration: Migration, reason: str) -> tuple[str, ...]:
        """Record a failure; the statements that drop what it left half built."""
        if self.connection.closed:
            return ()
        self._begin_session()
        history.record_failed(self.connection, migration, reason)
        return history.find_invalid_indexes(self.connection, migration)

    def _retry(self, act: Callable[[], None]) -> None:
        """Let go of a busy table and come back, a few times, later each time."""
        pause = _FIRST_PAUSE
        for attempt in range(2, self.patience.tries + 1):
            try:
                return act()
            except MigrationFailed as error:
                if not isinstance(error.__cause__, LockNotAvailable | DeadlockDetected):
                    raise
                what = error.message.partition("\n")[0]
                self.notice(f"{what} Try {attempt} of {self.patience.tries} in {pause:g} s.")
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        return act()

    def _begin_session(self) -> None:
        session.reset(self.connection)
        session.limit_waits(self.connection, self.patience.table_lock_timeout)

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Pass on what the server says while it runs a file."""

        def hear(diagnostic: Diagnostic) -> None:
            self.notice(f"{diagnostic.severity}: {diagnostic.message_primary}")

        self.connection.add_notice_handler(hear)
        try:
            yield
        finally:
            self.connection.remove_notice_handler(hear)


def _check_lock(connection: Connection) -> None:
    if not lock.is_ours(connection):
        raise InvalidInput(
            "Another server process answers than the one that holds the migrations lock: "
            "this is a pooler in transaction mode. Nothing more was run.",
            hint="Use the session pooler (port 5432 on Supabase) or the direct connection.",
        )


def _since(start: float) -> int:
    return round((time.perf_counter() - start) * 1000)
