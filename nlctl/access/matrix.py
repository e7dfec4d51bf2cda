"""The access matrix: who may do what to whose rows, measured by doing it and undoing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from nlctl import database
from nlctl.access import attempts, grid, people, subjects
from nlctl.access.attempts import OPERATIONS, Attempts
from nlctl.access.belonging import Belongings, RowClass
from nlctl.access.grid import Line
from nlctl.access.rows import Shelf
from nlctl.errors import AccessNotMeasured

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nlctl.access.outcomes import Outcome
    from nlctl.access.people import People, Person
    from nlctl.access.subjects import Subject


@dataclass(frozen=True)
class Cell:
    """One person, one operation, rows of one class of one subject."""

    person: str
    subject: str
    row_class: RowClass
    operation: str
    outcome: Outcome

    @property
    def mark(self) -> str:
        """Its character in the grid."""
        return grid.mark(self.outcome, self.operation)


@dataclass(frozen=True)
class Call:
    """One person and one function."""

    person: str
    function: str
    outcome: Outcome

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
            marks = titles.setdefault(f"{cell.subject} {cell.row_class}", {})
            marks[cell.person] = marks.get(cell.person, "") + cell.mark
        for call in self.calls:
            titles.setdefault(f"rpc {call.function}", {})[call.person] = call.mark
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
                {"person": c.person, "function": c.function, **_describe(c.mark, c.outcome)}
                for c in self.calls
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


def measure(url: str, *, tell: Callable[[str], None] = lambda _subject: None) -> Matrix:
    """Try everything in one transaction of its own, and roll it back."""
    with database.connect(url) as connection:
        try:
            measured = measure_in(connection, tell=tell)
        except psycopg.Error as error:
            raise AccessNotMeasured(
                f"The matrix could not be measured: {database.reason(error)}.",
                hint="Measure as postgres, on a Supabase database.",
            ) from error
        connection.rollback()
    return measured


def measure_in(
    connection: psycopg.Connection,
    *,
    only: Callable[[Subject], bool] = lambda _subject: True,
    with_calls: bool = True,
    tell: Callable[[str], None] = lambda _subject: None,
) -> Matrix:
    """Try everything in the transaction of `connection`, which the caller rolls back."""
    # Names come out with their schema, and nobody waits long for this.
    attempts.set_locally(connection, {"search_path": "", **attempts.LIMITS})
    everybody = people.gather(connection)
    every = subjects.find(connection)
    wanted = [subject for subject in every if only(subject)]
    survey = _Survey(connection, Belongings(every), everybody)
    cells = [cell for subject in _told(wanted, tell) for cell in survey.cells(subject)]
    calls = list(survey.calls()) if with_calls else []
    return Matrix(everybody.acting, tuple(cells), tuple(calls))


def _told(wanted: Sequence[Subject], tell: Callable[[str], None]) -> Iterator[Subject]:
    for subject in wanted:
        yield subject
        tell(subject.name)


class _Survey:
    def __init__(
        self, connection: psycopg.Connection, belongings: Belongings, everybody: People
    ) -> None:
        self._connection = connection
        self._belongings = belongings
        self._people = everybody
        self._shelf = Shelf(connection, belongings, everybody)
        self._attempts = Attempts(connection)

    def cells(self, subject: Subject) -> Iterator[Cell]:
        for row_class in self._belongings.classes(subject):
            for person in self._people.acting:
                if person.id or row_class is not RowClass.OWN:
                    yield from self._cells(subject, row_class, person)

    def calls(self) -> Iterator[Call]:
        for function in subjects.find_functions(self._connection):
            for person in self._people.acting:
                outcome = self._attempts.call(person, function)
                yield Call(person.name, function.title, outcome)

    def _cells(self, subject: Subject, row_class: RowClass, person: Person) -> Iterator[Cell]:
        with self._connection.transaction(force_rollback=True):
            rows = self._shelf.take(subject, row_class, person)
            for letter in subject.operations:
                outcome = self._attempts.on_rows(person, subject, rows, letter)
                yield Cell(person.name, subject.name, row_class, letter, outcome)
