"""One attempt at a time, as the person, inside a savepoint that is always rolled back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from nlctl import database
from nlctl.access import outcomes, statements
from nlctl.access.outcomes import Outcome, Verdict
from nlctl.access.rows import freshened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nlctl.access.people import Person
    from nlctl.access.rows import Row, Rows
    from nlctl.access.subjects import Function, Subject

OPERATIONS = {"S": "select", "I": "insert", "U": "update", "D": "delete"}
# Nobody may wait for a measurement, nor the measurement for anybody.
LIMITS = {"lock_timeout": "500ms", "statement_timeout": "5s"}


@dataclass(frozen=True)
class _Trial:
    """One statement of one person; `changes` is the subject whose row it is after."""

    person: Person
    query: sql.Composed
    is_granted: bool
    values: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    tried: int | None = None
    changes: Subject | None = None


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

    def call(self, person: Person, function: Function, keys: Mapping[str, Any]) -> Outcome:
        """Call a function with these keys of rows, and null for whatever else has no default."""
        is_granted = person.caller.role in function.executors
        return self._attempt(_Trial(person, statements.call(function, keys), is_granted))

    def _select(self, person: Person, subject: Subject, rows: tuple[Row, ...]) -> Outcome:
        settings = _settings_for(subject, rows[0] if rows else {})
        outcome = self._attempt(
            _Trial(
                person, statements.selection(subject), _holds(person, subject, "S"),
                {"rows": Jsonb(rows)}, settings, tried=len(rows),
            )
        )  # fmt: skip
        is_part = outcome.verdict is Verdict.ALLOWED and (outcome.rows or 0) < len(rows)
        return replace(outcome, verdict=Verdict.SOME) if is_part else outcome

    def _insert(self, person: Person, subject: Subject, row: Row) -> Outcome:
        query = statements.insertion(subject, statements.offered(subject, row, person.caller.role))
        return self._attempt(
            _Trial(
                person, query, _holds(person, subject, "I"),
                {"row": Jsonb(freshened(subject, row))}, _settings_for(subject, row), tried=1,
            )
        )  # fmt: skip

    def _write(self, person: Person, subject: Subject, row: Row | None, letter: str) -> Outcome:
        """As a frontend does, by key; where that comes to nothing, without looking at the row."""
        if row is None:
            return self._write_where(person, subject, {}, letter, sql.SQL("false"))
        that_row, blindly = statements.is_that_row(subject), statements.is_under_cursor()
        aimed = self._write_where(person, subject, row, letter, that_row)
        if aimed.verdict not in {Verdict.NOTHING, Verdict.UNKNOWN}:
            return aimed
        blind = self._write_where(person, subject, row, letter, blindly)
        if blind.verdict in {Verdict.ALLOWED, Verdict.ADMITTED}:
            return replace(blind, verdict=Verdict.UNSEEN)
        return aimed if blind.verdict is Verdict.UNKNOWN else blind

    def _write_where(
        self, person: Person, subject: Subject, row: Row, letter: str, where: sql.Composable
    ) -> Outcome:
        if letter == "U":
            query = statements.update(subject, person.caller.role, where)
        else:
            query = statements.deletion(subject, where)
        return self._attempt(
            _Trial(
                person, query, _holds(person, subject, letter), {"row": Jsonb(row)},
                _settings_for(subject, row), tried=1, changes=subject if row else None,
            )
        )  # fmt: skip

    def _attempt(self, trial: _Trial) -> Outcome:
        try:
            rows = self._run(trial)
        except psycopg.Error as error:
            outcome = outcomes.read_error(error, is_granted=trial.is_granted)
            return replace(outcome, tried=trial.tried)
        if trial.tried is None:
            return Outcome(Verdict.ALLOWED)
        return Outcome(Verdict.ALLOWED if rows else Verdict.NOTHING, rows, trial.tried)

    def _run(self, trial: _Trial) -> int:
        with self._connection.transaction(force_rollback=True):
            place = self._find(trial.changes, trial.values) if trial.changes else None
            self._become(trial.person, trial.settings)
            rows = self._cursor.execute(trial.query, trial.values).rowcount
            if rows == 0 and trial.changes and self._has_moved(trial.changes, place):
                return 1
        return rows

    def _become(self, person: Person, settings: Mapping[str, str]) -> None:
        if person.name not in self._settings:
            of_role = database.settings_of(self._connection, person.caller)
            self._settings[person.name] = {**of_role, **LIMITS}
        everything = {**settings, **self._settings[person.name]}
        set_locally(self._connection, everything)

    def _find(self, subject: Subject, values: Mapping[str, Any]) -> str | None:
        """Where the row lies, and a cursor on it."""
        self._cursor.execute(statements.cursor(subject), values)
        fetch = sql.SQL("fetch {}").format(sql.Identifier(statements.CURSOR))
        found = self._cursor.execute(fetch).fetchone()
        return found[0] if found else None

    def _has_moved(self, subject: Subject, place: str | None) -> bool:
        """Whether a trigger changed the row and reported none, as a soft delete does."""
        self._cursor.execute("set local role none")
        query = sql.SQL("select from {} where ctid = %s::tid").format(subject.identifier)
        return self._cursor.execute(query, (place,)).rowcount == 0


def set_locally(connection: psycopg.Connection, settings: Mapping[str, str]) -> None:
    """Settings until the savepoint or transaction ends; the role is one of them."""
    connection.execute(
        "select set_config(name, value, true) from jsonb_each_text(%s) as s (name, value)",
        (Jsonb(settings),),
    )


def _holds(person: Person, subject: Subject, letter: str) -> bool:
    return f"{person.caller.role} {OPERATIONS[letter]}" in subject.grants


def _settings_for(subject: Subject, row: Row) -> dict[str, str]:
    return {name: value.format(**row) for name, value in subject.settings.items()} if row else {}
