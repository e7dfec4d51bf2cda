"""Status: the files of a folder held against the history of a database."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from nlctl.migrations import files, history, session, statements

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from psycopg import Connection

    from nlctl.migrations.files import Migration
    from nlctl.migrations.history import Record, Texts


class State(StrEnum):
    """How a version stands between the folder and the database."""

    APPLIED = "applied"
    PENDING = "pending"
    OUT_OF_ORDER = "out of order"
    CHANGED = "changed"
    MISSING = "missing"
    FAILED = "failed"


# `migrate status --exit-code` answers with the gravest of its lines.
EXIT_CODES = {
    State.APPLIED: 0,
    State.PENDING: 3,
    State.OUT_OF_ORDER: 3,
    State.CHANGED: 4,
    State.MISSING: 4,
    State.FAILED: 5,
}


@dataclass(frozen=True)
class Entry:
    """One version: its file, its record, or both.

    `applied_text` is what ran, when that differs from the file; `leftovers` are the statements
    that drop the invalid indexes of a file that failed half-way.
    """

    version: str
    state: State
    migration: Migration | None
    record: Record | None
    applied_text: str | None = None
    leftovers: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The file's name without version and suffix, as far as anyone knows it."""
        known = self.migration or self.record
        return (known.name if known else None) or ""

    @property
    def label(self) -> str:
        """The file, or what is left of it."""
        return self.migration.path.name if self.migration else f"{self.version}_{self.name}.sql"


def read(url: str, folder: Path, project: str) -> tuple[Entry, ...]:
    """Every version that the folder or the database knows, in order."""
    migrations = files.read(folder)
    with session.opened(url) as connection:
        history.check_project(connection, project)
        return compare(connection, migrations)


def compare(connection: Connection, migrations: Iterable[Migration]) -> tuple[Entry, ...]:
    """Hold files against the history. Texts are read only where the hashes don't agree."""
    by_version = {migration.version: migration for migration in migrations}
    with session.one_moment(connection):
        records = history.read(connection)
        newest = max((files.order(v) for v, r in records.items() if r.is_applied), default=None)
        return tuple(
            _entry(connection, version, by_version.get(version), records.get(version), newest)
            for version in sorted(by_version.keys() | records.keys(), key=files.order)
        )


def exit_code(entries: Iterable[Entry]) -> int:
    """0 up to date, 3 pending, 4 changed or missing, 5 failed."""
    return max((EXIT_CODES[entry.state] for entry in entries), default=0)


def _entry(
    connection: Connection,
    version: str,
    migration: Migration | None,
    record: Record | None,
    newest: tuple[int, str] | None,
) -> Entry:
    if record and not record.is_applied:
        leftovers = history.find_invalid_indexes(connection, migration) if migration else ()
        return Entry(version, State.FAILED, migration, record, leftovers=leftovers)
    if record is None:
        is_late = newest is not None and files.order(version) < newest
        return Entry(version, State.OUT_OF_ORDER if is_late else State.PENDING, migration, None)
    if migration is None:
        return Entry(version, State.MISSING, None, record)
    if record.sha256 == migration.sha256:
        return Entry(version, State.APPLIED, migration, record)
    applied_text = _what_ran_instead(migration, history.read_texts(connection, version))
    state = State.APPLIED if applied_text is None else State.CHANGED
    return Entry(version, state, migration, record, applied_text)


def _what_ran_instead(migration: Migration, texts: Texts) -> str | None:
    """The text that was applied, if the file says something else.

    The space between statements says nothing, and `supabase migration fetch` drops it with what
    follows the last. The CLI may have written the row anew after us, so our copy speaks only while
    both agree.
    """
    ours = None if texts.source is None else _essence(texts.source)
    ran = ours if texts.statements is None else _essence(statements.join(texts.statements))
    source = texts.source if ran == ours else None
    endings = {_ending(migration.text)} if source is None else {"", _ending(source)}
    if ran is None or (ran == _essence(migration.text) and _ending(migration.text) in endings):
        return None
    return source or statements.join(texts.statements or ())


def _ending(script: str) -> str:
    """The comments behind the last statement, which belong to none."""
    pieces = statements.split(script)
    end = pieces[-1].offset + len(pieces[-1].text) if pieces else 0
    return script[end:].strip(statements.SPACE + ";")


def _essence(script: str) -> list[str]:
    """The statements of a script, whatever its line ends and the space after each line."""
    unix = script.replace("\r\n", "\n")
    return [
        "\n".join(line.rstrip(statements.SPACE) for line in statement.text.split("\n"))
        for statement in statements.split(unix)
    ]
