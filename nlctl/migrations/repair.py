"""Repair: correct the history where it no longer says what the database holds."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from nlctl import database
from nlctl.errors import InvalidInput
from nlctl.migrations import files, history, lock, session, status
from nlctl.migrations.status import State

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from psycopg import Connection

    from nlctl.migrations.status import Entry

_LOCK_TIMEOUT = 10


class Verdict(StrEnum):
    """What the history shall say of a version."""

    APPLIED = "applied"
    REVERTED = "reverted"


def repair(
    url: str,
    folder: Path,
    project: str,
    versions: Sequence[str],
    verdict: Verdict,
    *,
    drop_invalid_indexes: bool = False,
    notice: Callable[[str], None],
) -> tuple[str, ...]:
    """Write or delete the history of `versions`; no file is run. The indexes dropped, if asked for.

    Applied takes the file as it is now for what was run; reverted lets `up` run it (again).
    """
    with session.opened(url) as connection:
        history.check_project(connection, project)
        with lock.held(connection, _LOCK_TIMEOUT, notice):
            known = {e.version: e for e in status.compare(connection, files.read(folder))}
            chosen = [_find(known, version, verdict) for version in versions]
            dropped = _drop_leftovers(connection, chosen) if drop_invalid_indexes else ()
            with connection.transaction():
                history.prepare(connection, project)
                for entry in chosen:
                    _correct(connection, entry, verdict)
    return dropped


def _find(known: dict[str, Entry], version: str, verdict: Verdict) -> Entry:
    entry = known.get(version)
    if entry is None:
        raise InvalidInput(
            f"Neither the folder nor the database has a migration {version}.",
            hint="See: nlctl migrate status",
        )
    if verdict is Verdict.APPLIED and entry.migration is None:
        raise InvalidInput(
            f"There is no file of version {version} to record as applied.",
            hint="Bring it back, or use --status reverted.",
        )
    return entry


def _correct(connection: Connection, entry: Entry, verdict: Verdict) -> None:
    history.forget(connection, entry.version)
    if verdict is Verdict.APPLIED and entry.migration:
        is_late = entry.state is State.OUT_OF_ORDER
        history.record_applied(connection, entry.migration, since=None, out_of_order=is_late)


def _drop_leftovers(connection: Connection, entries: Sequence[Entry]) -> tuple[str, ...]:
    drops = tuple(drop for entry in entries for drop in entry.leftovers)
    for drop in drops:
        database.run_script(connection, drop)
    return drops
