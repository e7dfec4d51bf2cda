"""Whose a row is: its own columns say so, or those of the row it hangs from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from psycopg import sql

from nlctl.access import bonds, quoting
from nlctl.access.subjects import ACCOUNTS, DELETED_AT, OWNER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nlctl.access.subjects import Column, Subject

TYPES = "public.user_types"
UNBOUND = "user_id"  # of a view, or of a trace that outlives the person: without a foreign key


class RowClass(StrEnum):
    """Whose rows are tried; `none` belong to nobody, `deleted` are kept, but deleted.

    `assigned` ones are a client's, and the person accompanies him in what they hang from.
    """

    OWN = "own"
    ASSIGNED = "assigned"
    FOREIGN = "foreign"
    NONE = "none"
    DELETED = "deleted"


@dataclass(frozen=True)
class Belonging:
    """The columns that hold a person's id (or his type's), or the column that leads to a parent."""

    columns: tuple[Column, ...]
    is_by_type: bool = False
    parent: tuple[Subject, str] | None = None


class Belongings:
    """What each table of a database belongs by."""

    def __init__(self, subjects: Sequence[Subject]) -> None:
        self._tables = {s.full_name: s for s in subjects if s.is_table and not s.template}
        self._people = {ACCOUNTS} | {
            name for name, table in self._tables.items() if table.is_a_person
        }
        self._found: dict[str, Belonging | None] = {}
        self.bond = bonds.find(self._tables.values(), self._people)

    def table(self, name: str) -> Subject:
        """One of the tables, by its full name."""
        return self._tables[name]

    def find(self, name: str) -> Subject | None:
        """The same, if it is one that the Data API shows."""
        return self._tables.get(name)

    def of(self, subject: Subject) -> Belonging | None:
        """What says whose a row is; None where nothing does."""
        name = subject.full_name
        if name not in self._found:
            self._found[name] = None  # tables that lead to each other in a circle end here
            self._found[name] = self._direct(subject) or self._by_parent(subject)
        return self._found[name]

    def classes(self, subject: Subject) -> tuple[RowClass, ...]:
        """Those that its rows can be of."""
        if subject.root:
            return self.classes(self.table(subject.root))
        if subject.template:
            is_owned = any(OWNER in value for value in subject.template.values())
            return (RowClass.OWN, RowClass.FOREIGN) if is_owned else (RowClass.NONE,)
        is_owned = self.of(subject) is not None
        able = {
            RowClass.OWN: is_owned,
            RowClass.ASSIGNED: is_owned and self._may_be_accompanied(subject),
            RowClass.FOREIGN: is_owned,
            RowClass.NONE: self._may_be_nobodys(subject),
            RowClass.DELETED: subject.keeps_deleted,
        }
        return tuple(row_class for row_class, is_able in able.items() if is_able)

    def predicate(self, subject: Subject, alias: str, row_class: RowClass) -> sql.Composable:
        """The condition on rows called `alias`; %(person)s and %(kind)s are the person's."""
        if subject.root:
            return self._in_folder(subject, alias, row_class)
        whose = self._whose(subject, alias, row_class)
        if not subject.keeps_deleted:
            return whose
        mark = quoting.identifier(alias, DELETED_AT)
        if row_class is RowClass.DELETED:
            return sql.SQL("{} is not null").format(mark)
        return sql.SQL("({} is null and {})").format(mark, whose)

    def _whose(self, subject: Subject, alias: str, row_class: RowClass) -> sql.Composable:
        belonging = self.of(subject)
        if belonging is None:
            return sql.SQL("true")
        if self.bond is None or row_class not in {RowClass.ASSIGNED, RowClass.FOREIGN}:
            return self._held(belonging, alias, row_class)
        accompanied = self.bond.accompanied(subject, alias)
        if row_class is RowClass.ASSIGNED:
            return accompanied
        held = self._held(belonging, alias, row_class)
        return sql.SQL("({} and {} is not true)").format(held, accompanied)

    def _held(self, belonging: Belonging, alias: str, row_class: RowClass) -> sql.Composable:
        if belonging.parent is None:
            return _predicate(belonging, alias, row_class)
        column = quoting.identifier(alias, belonging.columns[0].name)
        leads = self._leads(column, *belonging.parent, f"{alias}_", row_class)
        if row_class is not RowClass.NONE:
            return leads
        return sql.SQL("({} is null or {})").format(column, leads)

    def _in_folder(self, subject: Subject, alias: str, row_class: RowClass) -> sql.Composable:
        """An object lies in a folder that is called like the row it belongs to."""
        root = self.table(subject.root)
        return sql.SQL(
            "({0} = {1} and exists (select from {2} as root"
            " where root.{3}::text = (storage.foldername({4}))[1] and {5}))"
        ).format(
            sql.Identifier(alias, "bucket_id"),
            sql.Literal(subject.template["bucket_id"]),
            root.identifier,
            sql.Identifier(root.key[0]),
            sql.Identifier(alias, "name"),
            self.predicate(root, "root", row_class),
        )

    def _leads(
        self, column: sql.Composable, parent: Subject, key: str, alias: str, row_class: RowClass
    ) -> sql.Composable:
        return sql.SQL("exists (select from {} as {} where {} = {} and {})").format(
            parent.identifier,
            quoting.identifier(alias),
            quoting.identifier(alias, key),
            column,
            self.predicate(parent, alias, row_class),
        )

    def _may_be_accompanied(self, subject: Subject) -> bool:
        if self.bond is None:
            return False
        return self.bond.is_made_in(subject) or self.bond.link(subject) is not None

    def _may_be_nobodys(self, subject: Subject) -> bool:
        belonging = self.of(subject)
        if belonging is None:
            return True
        if not subject.is_table:
            return False
        is_optional = not any(column.is_required for column in belonging.columns)
        return is_optional or (
            belonging.parent is not None and self._may_be_nobodys(belonging.parent[0])
        )

    def _direct(self, subject: Subject) -> Belonging | None:
        if subject.full_name in self._people:
            return Belonging((subject.column(subject.key[0]),))
        people = tuple(column for column in subject.columns if self._holds_a_person(column))
        if people:
            # Beside the one it must have, others are only mentioned.
            owners = tuple(column for column in people if column.is_required)
            return Belonging(owners or people)
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


def _predicate(belonging: Belonging, alias: str, row_class: RowClass) -> sql.Composable:
    names = [quoting.identifier(alias, column.name) for column in belonging.columns]
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
