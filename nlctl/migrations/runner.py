"""The runner: brings a database up to date, each file wholly applied and recorded or not at all."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

import psycopg

from nlctl.errors import DatabaseUnreachable, HistoryUnavailable, Interrupted, MigrationFailed
from nlctl.migrations import files, history, lock, plan, session, status
from nlctl.migrations.execution import Execution, Patience
from nlctl.migrations.status import State
from nlctl.queue import schema as queue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from psycopg import Connection

    from nlctl.migrations.files import Migration
    from nlctl.migrations.status import Entry


@dataclass(frozen=True)
class Options:
    """How to run. Times are in seconds.

    `lock_timeout` is how long to wait for another runner. `table_lock_timeout` is how long one
    statement may wait for a table, while others queue behind it, before its file is tried again.
    """

    lock_timeout: float = 60
    table_lock_timeout: float = 5
    tries: int = 5
    to: str | None = None
    allow_out_of_order: bool = False
    allow_empty: bool = False
    dry_run: bool = False


@dataclass(frozen=True)
class Applied:
    """One file that ran."""

    version: str
    name: str
    file: str
    duration_ms: int
    is_out_of_order: bool


@dataclass(frozen=True)
class Outcome:
    """What one `up` did. `left_out` names the files that a dry run cannot execute."""

    applied: tuple[Applied, ...] = ()
    left_out: tuple[str, ...] = ()


def _ignore(_: Any) -> None:
    """Nobody listens."""


def up(
    url: str,
    folder: Path,
    project: str,
    *,
    options: Options | None = None,
    report: Callable[[Applied], None] = _ignore,
    notice: Callable[[str], None] = _ignore,
) -> Outcome:
    """Apply the pending files of `folder` in order.

    `report` hears of each file once it is committed, `notice` of waits, retries and what the
    server says. Many runners may start at once: one works, the others find nothing left to do.
    """
    run = _Run(url, files.read(folder), project, options or Options(), report, notice)
    with _stop_when_told(), session.opened(url) as connection:
        try:
            return run.bring_up(connection)
        except KeyboardInterrupt:
            raise Interrupted(f"Interrupted. {run.tell_what_stands()}") from None
        except psycopg.OperationalError as error:
            if not connection.closed:
                raise
            raise DatabaseUnreachable(
                f"The database closed the connection. {run.tell_what_stands()}",
                hint="Once it is back, run nlctl migrate up again.",
            ) from error


def pending(
    url: str, folder: Path, project: str, *, options: Options | None = None
) -> tuple[str, ...]:
    """Names of the files that `up` would apply; refuses what `up` would refuse."""
    run = _Run(url, files.read(folder), project, options or Options(), _ignore, _ignore)
    with session.opened(url) as connection:
        return tuple(entry.label for entry in run.choose(connection))


@dataclass
class _Run:
    """One `up`: what it was asked, and how far it is."""

    url: str
    migrations: tuple[Migration, ...]
    project: str
    options: Options
    report: Callable[[Applied], None]
    notice: Callable[[str], None]
    steps: tuple[Entry, ...] = ()
    done: list[Applied] = field(default_factory=list)

    def bring_up(self, connection: Connection) -> Outcome:
        history.check_project(connection, self.project)
        if self.is_settled(connection):
            return Outcome()
        with lock.held(connection, self.options.lock_timeout, self.notice):
            self.steps = self.choose(connection)
            patience = Patience(self.options.table_lock_timeout, self.options.tries)
            runner = Execution(connection, patience, self.notice)
            if self.options.dry_run:
                return self.rehearse(runner)
            session.limit_waits(connection, self.options.table_lock_timeout)
            with connection.transaction():
                history.prepare(connection, self.project)
                self.prepare_queue(connection)
            self.apply(runner)
        return Outcome(tuple(self.done))

    def is_settled(self, connection: Connection) -> bool:
        """Whether nothing is left to do; anything else is judged with the lock in hand."""
        entries = status.compare(connection, self.migrations)
        is_claimed = not entries or history.read_project(connection) is not None
        is_known = self.options.to in {None, *(entry.version for entry in entries)}
        is_applied = all(entry.state is State.APPLIED for entry in entries)
        return is_claimed and is_known and is_applied and self.is_queue_ready(connection)

    @property
    def needs_queue(self) -> bool:
        return any(migration.needs_queue for migration in self.migrations)

    def is_queue_ready(self, connection: Connection) -> bool:
        return not self.needs_queue or queue.is_current(connection)

    def prepare_queue(self, connection: Connection) -> None:
        if not self.is_queue_ready(connection):
            queue.install(connection)

    def choose(self, connection: Connection) -> tuple[Entry, ...]:
        history.check_project(connection, self.project)
        return plan.choose(
            status.compare(connection, self.migrations),
            to=self.options.to,
            allow_out_of_order=self.options.allow_out_of_order,
            allow_empty=self.options.allow_empty,
        )

    def apply(self, runner: Execution) -> None:
        for entry, migration in _with_files(self.steps):
            is_late = entry.state is State.OUT_OF_ORDER
            try:
                duration_ms = runner.apply(migration, out_of_order=is_late)
            except MigrationFailed as error:
                error.hint = error.hint or self.tell_way_out()
                raise
            self.finish(migration, duration_ms, is_late)

    def rehearse(self, runner: Execution) -> Outcome:
        left_out = []
        with runner.connection.transaction(force_rollback=True):
            self.prepare_queue(runner.connection)
            for entry, migration in _with_files(self.steps):
                if migration.is_transactional:
                    duration_ms = runner.rehearse(migration)
                    self.finish(migration, duration_ms, entry.state is State.OUT_OF_ORDER)
                else:
                    left_out.append(migration.path.name)
        return Outcome(tuple(self.done), tuple(left_out))

    def finish(self, migration: Migration, duration_ms: int, is_late: bool) -> None:
        applied = Applied(
            migration.version, migration.name, migration.path.name, duration_ms, is_late
        )
        self.done.append(applied)
        self.report(applied)

    def tell_way_out(self) -> str:
        before = ", ".join(applied.file for applied in self.done)
        so_far = f"Applied before it: {before}. " if before else ""
        return f"{so_far}Correct the file and run nlctl migrate up again."

    def tell_what_stands(self) -> str:
        """Which files are applied: asked again, for the last commit may or may not have made it."""
        if self.options.dry_run or not self.steps:
            return "Nothing was applied."
        try:
            with session.opened(self.url) as connection:
                records = history.read(connection)
        except (DatabaseUnreachable, HistoryUnavailable):
            known = ", ".join(applied.file for applied in self.done) or "nothing"
            return f"Applied for sure: {known}; nlctl migrate status tells of the rest."
        applied = {version for version, record in records.items() if record.is_applied}
        labels = {
            is_in: ", ".join(e.label for e in self.steps if (e.version in applied) is is_in)
            for is_in in (True, False)
        }
        return f"Applied: {labels[True] or 'nothing'}. Not applied: {labels[False] or 'nothing'}."


def _with_files(steps: tuple[Entry, ...]) -> Iterator[tuple[Entry, Migration]]:
    for entry in steps:
        if entry.migration:
            yield entry, entry.migration


@contextmanager
def _stop_when_told() -> Iterator[None]:
    """Let SIGTERM cancel and report like Ctrl-C; only the main thread may listen to signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt
