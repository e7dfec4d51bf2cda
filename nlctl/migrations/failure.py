"""A failure of one statement, told with its place in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlctl.errors import MigrationFailed, Place
from nlctl.migrations import statements

if TYPE_CHECKING:
    import psycopg

    from nlctl.migrations.batch import Fault
    from nlctl.migrations.files import Migration
    from nlctl.migrations.statements import Statement

_SHOWN = 200
_NEEDS_NO_TRANSACTION = "25001"


def tell(
    fault: Fault, migration: Migration, statement: Statement | None, standing: str
) -> MigrationFailed:
    """Where, what and SQLSTATE on one line; below it, the source and all that the server said.

    Without a statement it happened at the end of the file. `standing` says what was applied.
    """
    error = fault.error
    offset = _offset(fault, statement) if statement else None
    where = f"{migration.path.name}, at its end" if offset is None else migration.at(offset)
    text = _message(error).partition("\n")[0]
    return MigrationFailed(
        f"{where}: {text} (SQLSTATE {error.sqlstate or 'unknown'}). {standing}"
        + ("" if offset is None else _point(migration, offset))
        + _describe(error, statement),
        code=error.sqlstate,
        place=_place(migration, offset),
    )


def _describe(error: psycopg.Error, statement: Statement | None) -> str:
    diagnostic = error.diag
    message = _message(error)
    parts = {
        "message": message if "\n" in message else None,
        "statement": _shorten(statement) if statement else None,
        "detail": diagnostic.message_detail,
        "hint": diagnostic.message_hint or _our_hint(error),
        "in": diagnostic.internal_query,
        "context": diagnostic.context,
        "constraint": diagnostic.constraint_name,
    }
    return "".join(f"\n    {label}: {_indent(text)}" for label, text in parts.items() if text)


def _message(error: psycopg.Error) -> str:
    return error.diag.message_primary or str(error).strip()


def _offset(fault: Fault, statement: Statement) -> int:
    return statement.begins if fault.at is None else statement.offset + fault.at


def _place(migration: Migration, offset: int | None) -> Place:
    found = statements.place(migration.text, len(migration.text) if offset is None else offset)
    return Place(migration.path, found.line, found.column)


def _point(migration: Migration, offset: int) -> str:
    """The line at fault and a caret below the character at fault."""
    place = statements.place(migration.text, offset)
    line = migration.text.split("\n")[place.line - 1]
    if len(line) > _SHOWN:
        return ""
    blank = "".join("\t" if character == "\t" else " " for character in line[: place.column - 1])
    return f"\n    {line}\n    {blank}^"


def _shorten(statement: Statement) -> str:
    text = " ".join(statement.text[statement.begins - statement.offset :].split())
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _our_hint(error: psycopg.Error) -> str | None:
    if error.sqlstate == _NEEDS_NO_TRANSACTION:
        return "Move it to a file of its own whose first line is: -- nlctl: no-transaction"
    return None


def _indent(text: str) -> str:
    return text.replace("\n", "\n      ")
