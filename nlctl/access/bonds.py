"""Bonds: a row that names a companion, and what he accompanies by it.

`user_formations` is one: its prof accompanies a client in one formation, hence in its submission,
its course and its cards, and not in what else the client does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from nlctl.access.subjects import Column, Subject

COMPANION = "prof_id"


@dataclass(frozen=True)
class Bond:
    """A table whose rows name a companion; `people` are the tables that stand for a person."""

    table: Subject
    people: Collection[str]

    def is_made_in(self, subject: Subject) -> bool:
        """Whether that is the table itself."""
        return subject.full_name == self.table.full_name

    def link(self, subject: Subject) -> tuple[str, str] | None:
        """The column here and the one there that must hold the same; the nearest pair."""
        for here in sorted(self._references(), key=self._leads_to_a_person):
            there = self._counterpart(here, subject)
            if there:
                return here.name, there
        return None

    def accompanied(self, subject: Subject, alias: str) -> sql.Composable:
        """The condition on rows called `alias` that %(person)s accompanies."""
        if self.is_made_in(subject):
            return _names_the_person(alias)
        pair = self.link(subject)
        if pair is None:
            return sql.SQL("false")
        return sql.SQL("exists (select from {} as bond where {} and {} = {})").format(
            self.table.identifier,
            _names_the_person("bond"),
            sql.Identifier("bond", pair[0]),
            sql.Identifier(alias, pair[1]),
        )

    def _references(self) -> Iterable[Column]:
        return (c for c in self.table.columns if c.refers_to and c.name != COMPANION)

    def _leads_to_a_person(self, column: Column) -> bool:
        return column.refers_to is not None and column.refers_to[0] in self.people

    def _counterpart(self, here: Column, subject: Subject) -> str | None:
        table, key = here.refers_to or ("", "")
        if subject.full_name == table:
            return key
        is_a_person = self._leads_to_a_person(here)
        for column in subject.columns:
            # A view's columns refer to nothing, and neither does whose a trace is.
            is_called_so = column.name == here.name and (is_a_person or not subject.is_table)
            if column.refers_to == here.refers_to or is_called_so:
                return column.name
            if is_a_person and self._leads_to_a_person(column):
                return column.name
        return None


def find(tables: Iterable[Subject], people: Collection[str]) -> Bond | None:
    """The table that has a companion's column, if any has."""
    for table in tables:
        if any(column.name == COMPANION and column.refers_to for column in table.columns):
            return Bond(table, people)
    return None


def _names_the_person(alias: str) -> sql.Composable:
    return sql.SQL("{} = {}::uuid").format(
        sql.Identifier(alias, COMPANION), sql.Placeholder("person")
    )
