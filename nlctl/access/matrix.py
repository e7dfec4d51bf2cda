"""The access matrix: who may do what to whose rows, measured by doing it and undoing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from nlctl import database
from nlctl.access import attempts, grid, outcomes, people, subjects
from nlctl.access.attempts import OPERATIONS, Attempts
from nlctl.access.belonging import Belongings, RowClass
from nlctl.access.grid import Line
from nlctl.access.outcomes import Verdict
from nlctl.access.rows import Shelf
from nlctl.errors import AccessNotMeasured

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from nlctl.access.outcomes import Outcome
    from nlctl.access.people import Person
    from nlctl.access.subjects import Function, Subject


@dataclass(frozen=True)
class Cell:
    """One person, one operation, rows of one class of one subject."""

    person: str
    subject: str
    row_class: RowClass
    operation: str
    outcome: Outcome

    @property
    def title(self) -> str:
        """Its line in the grid."""
        return f"{self.subject} {self.row_class}"

    @property
    def mark(self) -> str:
        """Its character in the grid."""
        return grid.mark(self.outcome, self.operation)


@dataclass(frozen=True)
class Call:
    """One person, one function, and whose row its first argument names, if it names one."""

    person: str
    function: str
    row_class: RowClass | None
    outcome: Outcome

    @property
    def title(self) -> str:
        """Its line in the grid."""
        return f"rpc {self.function} {self.row_class or ''}".rstrip()

    @property
    def mark(self) -> str:
        """Its word in the grid."""
        return grid.mark_call(self.outcome)


@dataclass(frozen=True)
class Matrix:
    """Everything that was tried."""

    people: tuple[Person, ...]
    cells: tuple[Cell, ...]
    calls: tuple[Call, ...]

    def lines(self) -> list[Line]:
        """The grid."""
        names = [person.name for person in self.people]
        titles: dict[str, dict[str, str]] = {}
        for cell in self.cells:
            marks = titles.setdefault(cell.title, {})
            marks[cell.person] = marks.get(cell.person, "") + cell.mark
        for call in self.calls:
            titles.setdefault(call.title, {})[call.person] = call.mark
        return [
            Line(title, {name: marks.get(name, grid.NOT_APPLICABLE) for name in names})
            for title, marks in titles.items()
        ]

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {
            "people": [
                {"name": person.name, "id": person.id, "made": person.is_made}
                for person in self.people
            ],
            "cells": [
                {
                    "person": cell.person,
                    "subject": cell.subject,
                    "class": str(cell.row_class),
                    "operation": OPERATIONS[cell.operation],
                    **_describe(cell.mark, cell.outcome),
                }
                for cell in self.cells
            ],
            "calls": [
                {
                    "person": call.person,
                    "function": call.function,
                    "class": call.row_class and str(call.row_class),
                    **_describe(call.mark, call.outcome),
                }
                for call in self.calls
            ],
        }


def _describe(mark: str, outcome: Outcome) -> dict[str, Any]:
    return {
        "mark": mark,
        "outcome": str(outcome.verdict),
        "rows": outcome.rows,
        "tried": outcome.tried,
        "code": outcome.code,
        "reason": outcome.reason,
    }


def measure(
    url: str,
    schemas: Collection[str],
    *,
    scene: str = "",
    tell: Callable[[str], None] = lambda _subject: None,
) -> Matrix:
    """Try everything in one transaction of its own, which begins with `scene`; roll it back.

    `schemas` are those that the Data API shows.
    """
    with database.connect(url) as connection:
        try:
            connection.execute(scene.encode())
            measured = measure_in(connection, schemas, tell=tell)
        except psycopg.Error as error:
            raise AccessNotMeasured(
                f"The matrix could not be measured: {database.reason(error)}.",
                hint="Measure as postgres, on a Supabase database.",
            ) from error
        connection.rollback()
    return measured


def measure_in(
    connection: psycopg.Connection,
    schemas: Collection[str],
    *,
    tell: Callable[[str], None] = lambda _subject: None,
) -> Matrix:
    """Try everything in the transaction of `connection`, which the caller rolls back."""
    survey = Survey(connection, schemas)
    cells = [cell for subject in _told(survey.subjects, tell) for cell in survey.cells(subject)]
    calls = [call for function in survey.functions() for call in survey.calls(function)]
    return Matrix(survey.people, tuple(cells), tuple(calls))


def _told(wanted: Sequence[Subject], tell: Callable[[str], None]) -> Iterator[Subject]:
    for subject in wanted:
        yield subject
        tell(subject.name)


class Survey:
    """Everybody and everything there is, to be tried in the transaction of a connection."""

    def __init__(self, connection: psycopg.Connection, schemas: Collection[str]) -> None:
        # Names come out with their schema, and nobody waits long for this.
        attempts.set_locally(connection, {"search_path": "", **attempts.LIMITS})
        everybody = people.gather(connection)
        self.people = everybody.acting
        self.subjects = subjects.find(connection, schemas)
        self._connection = connection
        self._schemas = schemas
        self._belongings = Belongings(self.subjects)
        self._shelf = Shelf(connection, self._belongings, everybody)
        self._attempts = Attempts(connection)

    def functions(self) -> list[Function]:
        """Every function."""
        return subjects.find_functions(self._connection, self._schemas, self.subjects)

    def cells(self, subject: Subject) -> Iterator[Cell]:
        """Each operation of each person on rows of each class."""
        for row_class in self._belongings.classes(subject):
            for person in self.people:
                if person.may_have(row_class):
                    yield from self._cells(subject, row_class, person)

    def calls(self, function: Function) -> Iterator[Call]:
        """A call by each person, on a row of each class if it is about rows."""
        classes = self._belongings.classes(function.about) if function.about else (None,)
        for row_class in classes:
            for person in self.people:
                if row_class is None or person.may_have(row_class):
                    yield self._call(function, row_class, person)

    def _call(self, function: Function, row_class: RowClass | None, person: Person) -> Call:
        with self._connection.transaction(force_rollback=True):
            keys = self._shelf.keys_for(function, row_class, person)
            outcome = self._attempts.call(person, function, keys)
        names_nothing = function.about is not None and keys.get(function.first or "") is None
        if names_nothing and outcome.verdict is not Verdict.GRANT:
            outcome = outcomes.unknown("No row of this class is there, and none could be made.")
        return Call(person.name, function.title, row_class, outcome)

    def _cells(self, subject: Subject, row_class: RowClass, person: Person) -> list[Cell]:
        with self._connection.transaction(force_rollback=True):
            rows = self._shelf.take(subject, row_class, person)
            tried = {
                letter: self._attempts.on_rows(person, subject, rows, letter)
                for letter in subject.operations
            }
        return [
            Cell(person.name, subject.name, row_class, letter, outcome)
            for letter, outcome in tried.items()
        ]
