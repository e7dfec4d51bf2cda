"""Execution: one file against one connection."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

from psycopg.errors import DeadlockDetected, LockNotAvailable

from nlctl import database
from nlctl.errors import InvalidInput, MigrationFailed, NlctlError
from nlctl.migrations import batch, failure, history, lock, plan, session, statements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psycopg import Connection
    from psycopg.errors import Diagnostic

    from nlctl.migrations.batch import Fault
    from nlctl.migrations.files import Migration
    from nlctl.migrations.statements import Statement

# What waits for the commit fails here, before the file is recorded.
_SETTLE = ("set constraints all immediate", "reset session authorization", "reset role")
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
            self._retry(lambda: self._apply_at_once(migration, out_of_order))
        else:
            self._apply_alone(migration, out_of_order)
        return _since(start)

    def undo(self, down: Migration) -> int:
        """Run the way back of a version and forget it; the milliseconds it took."""
        start = time.perf_counter()
        record = history.oblivion_of(self.connection, down.version)
        self._retry(lambda: self._run_at_once(down, record))
        return _since(start)

    def rehearse(self, migration: Migration) -> int:
        """Run one file in the transaction of the caller, who rolls it back."""
        start = time.perf_counter()
        self._run(migration, before=self._renewal)
        return _since(start)

    def _apply_at_once(self, migration: Migration, out_of_order: bool) -> None:
        record = history.record_of(
            self.connection,
            migration,
            since=history.THIS_TRANSACTION,
            out_of_order=out_of_order,
        )
        self._run_at_once(migration, record)

    def _run_at_once(self, migration: Migration, record: tuple[str, ...]) -> None:
        """Run and record a file in one transaction, which travels in one message."""
        before = (*self._renewal, "begin", lock.KEEP)
        try:
            self._run(migration, before=before, after=(*record, _RELOAD, "commit"))
        except NlctlError:
            self.connection.rollback()
            raise

    def _apply_alone(self, migration: Migration, out_of_order: bool) -> None:
        if not lock.is_ours(self.connection):
            raise _lock_lost()
        # Written first: if this process is killed, the next runner must not start over blindly.
        since = history.record_failed(
            self.connection, migration, "It was started and has not finished."
        )
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
                place=error.place,
            ) from error.__cause__
        self._begin_session()
        with self.connection.transaction():
            history.record_applied(
                self.connection, migration, since=since, out_of_order=out_of_order
            )
            self.connection.execute(_RELOAD)

    def _run(
        self, migration: Migration, *, before: tuple[str, ...], after: tuple[str, ...] = ()
    ) -> None:
        """Send a whole file, with what belongs before and after it."""
        if not session.reads_as_written(self.connection):
            session.reset(self.connection)
        texts = [statement.text for statement in migration.work]
        with self._listening():
            fault = batch.run(self.connection, [*before, *texts, *_SETTLE, *after])
        if fault:
            at = fault.index - len(before)
            statement = migration.work[at] if 0 <= at < len(texts) else None
            raise self._failed(fault, migration, statement) from fault.error

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

    def _execute(self, migration: Migration, statement: Statement) -> None:
        fault = batch.run(self.connection, [statement.text])
        if fault:
            raise self._failed(fault, migration, statement) from fault.error

    def _failed(
        self, fault: Fault, migration: Migration, statement: Statement | None
    ) -> NlctlError:
        if fault.error.sqlstate == lock.LOST:
            return _lock_lost()
        standing = "Nothing of this file was applied."
        if statement and not migration.is_transactional:
            done = migration.statements.index(statement)
            standing = f"{done} of its {len(migration.statements)} statements were applied."
        return failure.tell(fault, migration, statement, standing)

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

    @cached_property
    def _renewal(self) -> tuple[str, ...]:
        return session.renewal(self.connection, self.patience.table_lock_timeout)

    def _begin_session(self) -> None:
        database.run_script(self.connection, statements.join(self._renewal))

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


def _lock_lost() -> InvalidInput:
    return InvalidInput(
        "Another server process answers than the one that holds the migrations lock: "
        "this is a pooler in transaction mode. Nothing more was run.",
        hint="Use the session pooler (port 5432 on Supabase) or the direct connection.",
    )


def _since(start: float) -> int:
    return round((time.perf_counter() - start) * 1000)
