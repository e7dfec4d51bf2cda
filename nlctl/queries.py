"""Queries: a script run once, in one transaction, as anybody, and what came of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.types.string import TextLoader

from nlctl import database
from nlctl.errors import InvalidInput, QueryFailed
from nlctl.migrations import statements

if TYPE_CHECKING:
    from nlctl.migrations.statements import Statement

# Everything else reads best as the server writes it.
KEPT_TYPES = {"bool", "int2", "int4", "int8", "oid", "float4", "float8", "numeric", "json", "jsonb"}
READ_ONLY_TRANSACTION = "25006"
NOT_IN_A_TRANSACTION = "25001"
REFUSAL = "PGRST"


@dataclass(frozen=True)
class Script:
    """One or more statements; `name` is the file they come from, if any."""

    text: str
    statements: tuple[Statement, ...]
    name: str | None = None

    def where(self, offset: int) -> str:
        """How an error points at `offset`: file:line:column, or the line where there are many."""
        place = statements.place(self.text, offset)
        if self.name:
            return f"{self.name}:{place}: "
        return f"line {place.line}: " if "\n" in self.text.strip() else ""


@dataclass(frozen=True)
class Result:
    """What one statement answered: its command tag, and its rows where it returns any.

    `rows` holds Python values, `cells` the same as the server writes them (None for NULL).
    """

    status: str
    written: int
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    cells: tuple[tuple[str | None, ...], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For machines: rows as objects; a repeated column name gets a number."""
        names = _distinct(self.columns)
        rows = [dict(zip(names, map(_plain, row), strict=True)) for row in self.rows]
        return {"status": self.status, "columns": names, "rows": rows}

    @property
    def document(self) -> Any:
        """The JSON value of a result that is one cell of JSON, else None."""
        if len(self.rows) == 1 and len(self.columns) == 1:
            value = self.rows[0][0]
            return value if isinstance(value, dict | list) else None
        return None


@dataclass(frozen=True)
class Outcome:
    """What a script did: each statement's result, and whether the database changed."""

    results: tuple[Result, ...]
    wrote: bool
    committed: bool

    @property
    def written(self) -> int:
        """Rows that INSERT, UPDATE, DELETE, MERGE and COPY touched."""
        return sum(result.written for result in self.results)


def parse(text: str, name: str | None = None) -> Script:
    """A script ready to run; what only psql can do is refused before anything happens."""
    try:
        script = Script(text, statements.split(text), name)
    except InvalidInput as error:
        raise InvalidInput(f"{name}:{error.message}" if name else error.message) from error
    if not script.statements:
        raise InvalidInput(f"Nothing to run: {name or 'the query'} holds no statement.")
    for statement in script.statements:
        _refuse_what_needs_psql(script, statement)
    return script


def run(
    url: str,
    script: Script,
    *,
    who: str | None = None,
    read_only: bool = False,
    dry_run: bool = False,
) -> Outcome:
    """Run `script` in one transaction, as `who` if given; all of it happens, or none."""
    with database.connect(url) as connection:
        connection.read_only = read_only
        _keep_text(connection)
        if who:
            database.act_as(connection, database.find_caller(connection, who))
        results = tuple(_answer(connection, script, each) for each in script.statements)
        wrote = _has_written(connection)
        _settle(connection, script, dry_run=dry_run)
    return Outcome(results, wrote, committed=wrote and not dry_run)


def _refuse_what_needs_psql(script: Script, statement: Statement) -> None:
    word = (statement.words or ("",))[0].upper()
    if statement.controls_transaction:
        reason = f"{word} would end the one transaction."
    elif word == "COPY" and {"stdin", "stdout"} & set(statement.words):
        reason = "COPY has no input or output here."
    else:
        return
    raise InvalidInput(
        f"{script.where(statement.begins)}{reason}", hint="Leave it out, or use `nlctl db psql`."
    )


def _keep_text(connection: psycopg.Connection) -> None:
    for known in psycopg.postgres.types:
        if known.name not in KEPT_TYPES:
            connection.adapters.register_loader(known.oid, TextLoader)


def _answer(connection: psycopg.Connection, script: Script, statement: Statement) -> Result:
    try:
        cursor = connection.execute(statement.text.encode())
    except psycopg.Error as error:
        raise _failure(error, script, statement) from error
    status = cursor.statusmessage or ""
    if cursor.description is None:
        return Result(status, _rows_written(status))
    return Result(
        status,
        _rows_written(status),
        columns=tuple(column.name for column in cursor.description),
        cells=_cells(cursor),
        rows=tuple(cursor.fetchall()),
    )


def _cells(cursor: psycopg.Cursor[Any]) -> tuple[tuple[str | None, ...], ...]:
    result = cursor.pgresult
    if result is None:
        return ()
    encoding = cursor.connection.info.encoding
    raw = ([result.get_value(row, column) for column in range(result.nfields)]
           for row in range(result.ntuples))  # fmt: skip
    return tuple(tuple(None if c is None else c.decode(encoding) for c in row) for row in raw)


def _rows_written(status: str) -> int:
    tag, _, count = status.rpartition(" ")
    verb = tag.partition(" ")[0]
    return int(count) if verb in {"INSERT", "UPDATE", "DELETE", "MERGE", "COPY"} else 0


def _has_written(connection: psycopg.Connection) -> bool:
    row = connection.execute("select pg_catalog.pg_current_xact_id_if_assigned()").fetchone()
    return row is not None and row[0] is not None


def _settle(connection: psycopg.Connection, script: Script, *, dry_run: bool) -> None:
    """Commit or roll back; deferred constraints speak either way."""
    last = script.statements[-1]
    try:
        connection.execute("set constraints all immediate")
        if dry_run:
            connection.rollback()
        else:
            connection.commit()
    except psycopg.Error as error:
        raise _failure(error, script, last) from error


def _failure(error: psycopg.Error, script: Script, statement: Statement) -> QueryFailed:
    if error.sqlstate == REFUSAL:
        refusal = _refusal(error)
        if refusal:
            return refusal
    position = error.diag.statement_position
    # The server counts from one.
    offset = statement.offset + int(position) - 1 if position else statement.begins
    parts = (error.diag.message_primary or str(error), error.diag.message_detail)
    message = ". ".join(_one_line(part).rstrip(".") for part in parts if part)
    return QueryFailed(
        f"{script.where(offset)}{message} (SQLSTATE {error.sqlstate or 'unknown'}).",
        hint=_way_out(error),
        code=error.sqlstate,
    )


def _refusal(error: psycopg.Error) -> QueryFailed | None:
    """What `app.refuse` said (SQLSTATE PGRST); None where it is not in that form."""
    try:
        answer = json.loads(error.diag.message_primary or "")
        status = json.loads(error.diag.message_detail or "")["status"]
        code, said = answer["code"], answer["message"]
    except (ValueError, KeyError, TypeError):
        return None
    details = f" [{answer['details']}]" if answer.get("details") else ""
    return QueryFailed(
        f"{code} ({status}): {_one_line(said)}{details}", hint=answer.get("hint"), code=code
    )


def _way_out(error: psycopg.Error) -> str | None:
    if error.sqlstate == READ_ONLY_TRANSACTION:
        return "This query was read-only; on a shared target --write lets it write."
    if error.sqlstate == NOT_IN_A_TRANSACTION:
        return "Run it through `nlctl db psql`."
    return _one_line(error.diag.message_hint) if error.diag.message_hint else None


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _distinct(names: tuple[str, ...]) -> list[str]:
    seen: dict[str, int] = {}
    distinct = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        distinct.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return distinct


def _plain(value: Any) -> Any:
    """A value that JSON can hold without losing digits."""
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, float) and (value != value or value in {float("inf"), float("-inf")}):
        return str(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _number(value: Decimal) -> int | float | str:
    if not value.is_finite():
        return str(value)
    if value == value.to_integral_value():
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)
