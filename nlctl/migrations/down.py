"""Down: the way back, file by file, for files that have one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlctl import catalogue, database
from nlctl.catalogue import differences
from nlctl.errors import InvalidInput, MigrationConflict, MigrationFailed, MigrationIrreversible
from nlctl.migrations import files, history, lock, runner, session, status
from nlctl.migrations.execution import Execution, Patience
from nlctl.migrations.status import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from psycopg import Connection

    from nlctl.catalogue import Catalogue
    from nlctl.migrations.files import Migration
    from nlctl.migrations.status import Entry

NOTHING_APPLIED = "0"


@dataclass(frozen=True)
class Options:
    """How far to go: `steps` files back, or to version `to`, which stays; "0" is before the first.

    Times are those of `runner.Options`.
    """

    to: str | None = None
    steps: int | None = None
    lock_timeout: float = 60
    table_lock_timeout: float = 5
    tries: int = 5
    dry_run: bool = False


@dataclass(frozen=True)
class Undone:
    """One version that is no longer applied."""

    version: str
    name: str
    file: str
    duration_ms: int


def down(
    url: str,
    folder: Path,
    project: str,
    *,
    options: Options,
    report: Callable[[Undone], None] = lambda _: None,
    notice: Callable[[str], None] = lambda _: None,
) -> tuple[Undone, ...]:
    """Undo applied files, newest first, each in one transaction with its rows of the history.

    Refuses before it begins when one of them has no way back.
    """
    migrations = files.read(folder)
    undone = []
    with session.opened(url) as connection:
        history.check_project(connection, project)
        with lock.held(connection, options.lock_timeout, notice):
            ways = choose(status.compare(connection, migrations), options)
            for way, duration_ms in _go(connection, project, ways, options, notice):
                name = way.name.removesuffix(".down")
                undone.append(Undone(way.version, name, way.path.name, duration_ms))
                report(undone[-1])
    return tuple(undone)


def choose(entries: Sequence[Entry], options: Options) -> tuple[Migration, ...]:
    """The files to run, newest version first; refuses unless all of them are there."""
    applied = [e for e in reversed(entries) if e.state not in {State.PENDING, State.OUT_OF_ORDER}]
    chosen = applied[: _count(applied, options)]
    for entry in chosen:
        if entry.state is not State.APPLIED:
            raise MigrationConflict(
                f"{entry.label} is {entry.state}: its way back is not that of what was applied. "
                "Nothing was run.",
                hint="See: nlctl migrate status",
            )
    ways = [files.read_down(entry.migration) for entry in chosen if entry.migration]
    one_way = [entry.label for entry, way in zip(chosen, ways, strict=True) if way is None]
    if one_way:
        raise MigrationIrreversible(
            f"No way back from {', '.join(one_way)}. Nothing was run.",
            hint=f"Write a new migration that undoes it, or {files.DOWN}/<version>_<name>.down.sql "
            "beside the migrations.",
        )
    found = tuple(way for way in ways if way)
    for way in found:
        _check(way)
    return found


def prove(url: str, folder: Path, project: str) -> Iterator[str]:
    """Go up, down and up again with each file that has a way back; a line for what that changes.

    Needs a database of its own without any migration.
    """
    for migration in files.read(folder):
        if files.read_down(migration) is None:
            continue
        name, upto = migration.path.name, runner.Options(to=migration.version)
        try:
            runner.up(url, folder, project, options=upto)
        except MigrationFailed as error:
            yield f"{name}: its way back was not tried: {error.message.splitlines()[0]}"
            return
        before = _read(url)
        try:
            down(url, folder, project, options=Options(steps=1))
            runner.up(url, folder, project, options=upto)
        except (MigrationFailed, InvalidInput) as error:
            yield f"{name}: no way down and up again: {error.message.splitlines()[0]}"
            return  # what comes after it stands on nothing
        for difference in differences.between(before, _read(url)):
            yield f"{name}: after up, down and up: {difference}"


def _count(applied: Sequence[Entry], options: Options) -> int:
    if options.to is not None and options.steps is not None:
        raise InvalidInput("Say --to or --steps, not both.")
    if options.to is None:
        return 1 if options.steps is None else options.steps
    if options.to == NOTHING_APPLIED:
        return len(applied)
    versions = [entry.version for entry in applied]
    if options.to not in versions:
        raise InvalidInput(
            f"Version {options.to} is not applied here.", hint="See: nlctl migrate status"
        )
    return versions.index(options.to)


def _check(way: Migration) -> None:
    if not way.is_transactional:
        raise InvalidInput(
            f"{way.path.name}: a way back runs in one transaction.",
            hint=f"Remove the line: {files.MARKER}",
        )
    files.check(way)


def _go(
    connection: Connection,
    project: str,
    ways: tuple[Migration, ...],
    options: Options,
    notice: Callable[[str], None],
) -> Iterator[tuple[Migration, int]]:
    patience = Patience(options.table_lock_timeout, options.tries)
    execution = Execution(connection, patience, notice)
    if options.dry_run:
        with connection.transaction(force_rollback=True):
            for way in ways:
                yield way, execution.rehearse(way)
        return
    with connection.transaction():
        history.prepare(connection, project)
    for way in ways:
        yield way, execution.undo(way)


def _read(url: str) -> Catalogue:
    with database.connect(url, autocommit=True) as connection:
        return catalogue.read(connection)
