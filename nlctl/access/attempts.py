"""One attempt at a time, as the person, inside a savepoint that is always rolled back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from nlctl import database
from nlctl.access import outcomes
from nlctl.access.outcomes import Outcome, Verdict
from nlctl.access.rows import freshened, insertion

if TYPE_CHECKING:
    from nlctl.access.people import Person
    from nlctl.access.rows import Row, Rows
    from nlctl.access.subjects import Column, Function, Subject

OPERATIONS = {"S": "select", "I": "insert", "U": "update", "D": "delete"}
# Nobody may wait for a measurement, nor the measurement for anybody.
LIMITS = {"lock_timeout": "1s", "statement_timeout": "5s"}
BECOME = "select set_config(name, value, true) from jsonb_each_text(%s) as s (name, value)"


class Attempts:
    """Whoever asks, what he tries, and what came of it."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._cursor = connection.cursor(row_factory=tuple_row)
        self._settings: dict[str, dict[str, str]] = {}

    def on_rows(self, person: Person, subject: Subject, rows: Rows, letter: str) -> Outcome:
        """Try one operation (S, I, U, D) on rows of one class."""
        if letter == "S":
            outcome = self._select(person, subject, rows.known)
        elif letter == "I":
            outcome = self._insert(person, subject, rows.example or {})
        else:
            outcome = self._write(person, subject, rows.example, letter)
        tries_nothing = not rows.known if letter == "S" else rows.example is None
        if tries_nothing and outcome.verdict is not Verdict.GRANT:
            return outcomes.unknown(rows.reason)
        return outcome

    def call(self, person: Person, function: Function) -> Outcome:
        """Call a function with null for whatever has no default."""
        arguments = [sql.SQL("null::{}").format(sql.SQL(kind)) for kind in function.required]
        query = sql.SQL("select from {}({}) limit 1").format(
            sql.Identifier(function.schema, function.name), sql.SQL(", ").join(arguments)
        )
        is_granted = person.caller.role in function.executors
        return self._attempt(person, query, {}, is_granted=is_granted, tried=None)

    def _select(self, person: Person, subject: Subject, rows: tuple[Row, ...]) -> Outcome:
        query = sql.SQL(
            "select from {0} as r join jsonb_populate_recordset(null::{0}, %(rows)s) as w on {1}"
        ).format(subject.identifier, _same_key(subject, "r", "w"))
        values = {"rows": Jsonb(rows), "row": Jsonb(rows[0] if rows else {})}
        outcome = self._attempt(
            person, query, values, is_granted=_holds(person, subject, "S"), tried=len(rows),
            settings=_settings_for(subject, rows[0] if rows else {}),
        )  # fmt: skip
        is_part = outcome.verdict is Verdict.ALLOWED and (outcome.rows or 0) < len(rows)
        return replace(outcome, verdict=Verdict.SOME) if is_part else outcome

    def _insert(self, person: Person, subject: Subject, row: Row) -> Outcome:
        role = person.caller.role
        wanted = [c for c in subject.columns if c.name in row and not c.is_computed]
        granted = [c for c in wanted if role in c.insert] or wanted
        given = [c.name for c in granted if not (c.is_unique and c.has_default)]
        query = insertion(subject, tuple(given))
        return self._attempt(
            person, query, {"row": Jsonb(freshened(subject, row))},
            is_granted=_holds(person, subject, "I"), tried=1,
            settings=_settings_for(subject, row),
        )  # fmt: skip

    def _write(self, person: Person, subject: Subject, row: Row | None, letter: str) -> Outcome:
        """As a frontend does, by key; where that comes to nothing, without looking at the row."""
        if row is None:
            return self._write_by(person, subject, {}, letter, sql.SQL("false"))
        aimed = self._write_by(person, subject, row, letter, _is_that_row(subject))
        if aimed.verdict not in {Verdict.NOTHING, Verdict.UNKNOWN}:
            return aimed
        blind = self._write_by(person, subject, row, letter, sql.SQL("current of that_row"))
        if blind.verdict in {Verdict.ALLOWED, Verdict.ADMITTED}:
            return replace(blind, verdict=Verdict.UNSEEN)
        return blind

    def _write_by(
        self, person: Person, subject: Subject, row: Row, letter: str, where: sql.Composable
    ) -> Outcome:
        query = _update(subject, person) if letter == "U" else _delete(subject)
        return self._attempt(
            person, sql.SQL("{} where {}").format(query, where), {"row": Jsonb(row)},
            is_granted=_holds(person, subject, letter), tried=1,
            settings=_settings_for(subject, row), changes=subject if row else None,
        )  # fmt: skip

    def _attempt(
        self,
        person: Person,
        query: sql.Composed,
        values: dict[str, Any],
        *,
        is_granted: bool,
        tried: int | None,
        settings: dict[str, str] | None = None,
        changes: Subject | None = None,
    ) -> Outcome:
        try:
            with self._connection.transaction(force_rollback=True):
                place = self._find(changes, values) if changes else None
                self._become(person, settings or {})
                rows = self._cursor.execute(query, values).rowcount
                if rows == 0 and changes and self._has_moved(changes, place):
                    rows = 1
        except psycopg.Error as error:
            return replace(outcomes.read_error(error, is_granted=is_granted), tried=tried)
        verdict = Verdict.ALLOWED if rows or tried is None else Verdict.NOTHING
        return Outcome(verdict, rows, tried)

    def _become(self, person: Person, settings: dict[str, str]) -> None:
        if person.name not in self._settings:
            of_role = database.settings_of(self._connection, person.caller)
            self._settings[person.name] = {**of_role, **LIMITS}
        everything = {**settings, **self._settings[person.name]}
        self._cursor.execute(BECOME, (Jsonb(everything),))

    def _find(self, subject: Subject, values: dict[str, Any]) -> str | None:
        """Where the row lies, and a cursor on it."""
        query = sql.SQL("declare that_row cursor for select ctid::text from {} where {} for update")
        self._cursor.execute(query.format(subject.identifier, _is_that_row(subject)), values)
        found = self._cursor.execute("fetch that_row").fetchone()
        return found[0] if found else None

    def _has_moved(self, subject: Subject, place: str | None) -> bool:
        """Whether a trigger changed the row and reported none, as a soft delete does."""
        self._cursor.execute("set local role none")
        query = sql.SQL("select from {} where ctid = %s::tid").format(subject.identifier)
        return self._cursor.execute(query, (place,)).rowcount == 0


def _holds(person: Person, subject: Subject, letter: str) -> bool:
    return f"{person.caller.role} {OPERATIONS[letter]}" in subject.grants


def _settings_for(subject: Subject, row: Row) -> dict[str, str]:
    return {name: value.format(**row) for name, value in subject.settings.items()} if row else {}


def _same_key(subject: Subject, left: str, right: str) -> sql.Composable:
    names = subject.key or tuple(column.name for column in subject.columns)
    sides = [
        sql.SQL(", ").join(sql.Identifier(side, name) for name in names) for side in (left, right)
    ]
    same = "({}) = ({})" if subject.key else "({}) is not distinct from ({})"
    return sql.SQL(same).format(*sides)


def _is_that_row(subject: Subject) -> sql.Composable:
    that = sql.SQL("jsonb_populate_record(null::{}, %(row)s)").format(subject.identifier)
    names = subject.key or tuple(column.name for column in subject.columns)
    return sql.SQL(" and ").join(
        sql.SQL("{0}.{1} is not distinct from ({2}).{1}").format(
            subject.identifier, sql.Identifier(name), that
        )
        for name in names
    )


def _update(subject: Subject, person: Person) -> sql.Composed:
    """Give one column the value it has: the person's best one that no constraint looks at."""
    column = min(subject.columns, key=lambda each: _reluctance(each, person.caller.role))
    return sql.SQL("update {0} set {1} = (jsonb_populate_record(null::{0}, %(row)s)).{1}").format(
        subject.identifier, sql.Identifier(column.name)
    )


def _delete(subject: Subject) -> sql.Composed:
    return sql.SQL("delete from {}").format(subject.identifier)


def _reluctance(column: Column, role: str) -> tuple[bool, ...]:
    return (
        role not in column.update, column.is_computed, column.is_unique,
        column.refers_to is not None,
    )  # fmt: skip
