"""A failure of one statement, told with its place in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlctl.migrations import statements

if TYPE_CHECKING:
    import psycopg

    from nlctl.migrations.files import Migration
    from nlctl.migrations.statements import Statement

_SHOWN = 200
_NEEDS_NO_TRANSACTION = "25001"


def summarise(error: psycopg.Error, migration: Migration, statement: Statement | None) -> str:
    """One line: where, what, SQLSTATE. Without a statement it happened at the commit."""
    where = (
        migration.at(_offset(error, statement))
        if statement
        else f"{migration.path.name}, at its end"
    )
    text = _message(error).partition("\n")[0]
    return f"{where}: {text} (SQLSTATE {error.sqlstate or 'unknown'})."


def describe(error: psycopg.Error, migration: Migration, statement: Statement | None) -> str:
    """Indented lines: the source line, the statement, and everything the server said."""
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
    pointer = _point(migration, _offset(error, statement)) if statement else ""
    return pointer + "".join(
        f"\n    {label}: {_indent(text)}" for label, text in parts.items() if text
    )


def _message(error: psycopg.Error) -> str:
    return error.diag.message_primary or str(error).strip()


def _offset(error: psycopg.Error, statement: Statement | None) -> int:
    if statement is None:
        return 0
    position = error.diag.statement_position
    return statement.offset + int(position) - 1 if position else statement.begins


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
