"""Whose a row is: its own columns say so, or those of the row it hangs from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from psycopg import sql

from nlctl.access.subjects import DELETED_AT, OWNER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nlctl.access.subjects import Column, Subject

ACCOUNTS = "auth.users"
TYPES = "public.user_types"
UNBOUND = "user_id"  # of a trace that outlives the person, so without a foreign key


class RowClass(StrEnum):
    """Whose rows are tried; `none` belong to nobody, `deleted` are kept, but deleted."""

    OWN = "own"
    FOREIGN = "foreign"
    NONE = "none"
    DELETED = "deleted"


@dataclass(frozen=True)
class Belonging:
    """The columns that hold a person's id (or his type's), or the column that leads to a parent."""

    columns: tuple[Column, ...]
    is_by_type: bool = False
    parent: tuple[Subject, str] | None = None

    @property
    def is_optional(self) -> bool:
        """Whether a row may belong to nobody."""
        return not any(column.is_required for column in self.columns)


class Belongings:
    """What each table of a database belongs by."""

    def __init__(self, subjects: Sequence[Subject]) -> None:
        self._tables = {s.full_name: s for s in subjects if s.is_table and not s.template}
        self._people = {ACCOUNTS} | {
            name for name, table in self._tables.items() if _is_a_person(table)
        }
        self._found: dict[str, Belonging | None] = {}

    def of(self, subject: Subject) -> Belonging | None:
        """What says whose a row is; None where nothing does."""
        name = subject.full_name
        if name not in self._found:
            self._found[name] = None  # tables that lead to each other in a circle end here
            self._found[name] = self._direct(subject) or self._by_parent(subject)
        return self._found[name]

    def classes(self, subject: Subject) -> tuple[RowClass, ...]:
        """Those that its rows can be of."""
        if subject.template:
            is_owned = any(OWNER in value for value in subject.template.values())
            return (RowClass.OWN, RowClass.FOREIGN) if is_owned else (RowClass.NONE,)
        belonging = self.of(subject) if subject.is_table else None
        owned = (RowClass.OWN, RowClass.FOREIGN) if belonging else ()
        unowned = (RowClass.NONE,) if belonging is None or belonging.is_optional else ()
        deleted = (RowClass.DELETED,) if subject.keeps_deleted else ()
        return (*owned, *unowned, *deleted)

    def predicate(self, subject: Subject, alias: str, row_class: RowClass) -> sql.Composable:
        """The condition on rows called `alias`; %(person)s and %(kind)s are the person's."""
        whose = self._whose(subject, alias, row_class)
        if not subject.keeps_deleted:
            return whose
        mark = sql.Identifier(alias, DELETED_AT)
        if row_class is RowClass.DELETED:
            return sql.SQL("{} is not null").format(mark)
        return sql.SQL("({} is null and {})").format(mark, whose)

    def _whose(self, subject: Subject, alias: str, row_class: RowClass) -> sql.Composable:
        belonging = self.of(subject)
        if belonging is None:
            return sql.SQL("true")
        if belonging.parent is None:
            return _predicate(belonging, alias, row_class)
        column = sql.Identifier(alias, belonging.columns[0].name)
        leads = self._leads(column, *belonging.parent, f"{alias}_", row_class)
        if row_class is not RowClass.NONE:
            return leads
        return sql.SQL("({} is null or {})").format(column, leads)

    def _leads(
        self, column: sql.Identifier, parent: Subject, key: str, alias: str, row_class: RowClass
    ) -> sql.Composable:
        return sql.SQL("exists (select from {} as {} where {} = {} and {})").format(
            parent.identifier,
            sql.Identifier(alias),
            sql.Identifier(alias, key),
            column,
            self.predicate(parent, alias, row_class),
        )

    def _direct(self, subject: Subject) -> Belonging | None:
        if subject.full_name in self._people:
            return Belonging((subject.column(subject.key[0]),))
        people = tuple(column for column in subject.columns if self._holds_a_person(column))
        if people:
            return Belonging(people)
        types = tuple(c for c in subject.columns if c.refers_to and c.refers_to[0] == TYPES)
        return Belonging(types, is_by_type=True) if types else None

    def _holds_a_person(self, column: Column) -> bool:
        if column.refers_to:
            return column.refers_to[0] in self._people
        return column.name == UNBOUND and column.type == "uuid"

    def _by_parent(self, subject: Subject) -> Belonging | None:
        leading = sorted(
            (column for column in subject.columns if column.refers_to),
            key=lambda column: not column.is_required,
        )
        for column in leading:
            table, key = column.refers_to or ("", "")
            parent = self._tables.get(table)
            if parent and parent.full_name != subject.full_name and self.of(parent):
                return Belonging((column,), parent=(parent, key))
        return None


def _is_a_person(table: Subject) -> bool:
    if len(table.key) != 1:
        return False
    refers_to = table.column(table.key[0]).refers_to
    return refers_to is not None and refers_to[0] == ACCOUNTS


def _predicate(belonging: Belonging, alias: str, row_class: RowClass) -> sql.Composable:
    names = [sql.Identifier(alias, column.name) for column in belonging.columns]
    value = sql.Placeholder("kind" if belonging.is_by_type else "person")
    types = [sql.SQL(column.type) for column in belonging.columns]
    own = sql.SQL(" or ").join(
        sql.SQL("{} = {}::{}").format(name, value, kind)
        for name, kind in zip(names, types, strict=True)
    )
    held = sql.SQL("num_nonnulls({}) > 0").format(sql.SQL(", ").join(names))
    if row_class is RowClass.OWN:
        return sql.SQL("({})").format(own)
    if row_class is RowClass.NONE:
        return sql.SQL("(not {})").format(held)
    return sql.SQL("({} and ({}) is not true)").format(held, own)
