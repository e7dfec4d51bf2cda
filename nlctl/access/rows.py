"""Rows to try things on: those a database has of a class, and one more that nothing hangs from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.errors import LockNotAvailable
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from nlctl import database
from nlctl.access import guesses, quoting, statements, subjects
from nlctl.access.belonging import RowClass
from nlctl.access.bonds import COMPANION
from nlctl.access.subjects import DELETED_AT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlctl.access.belonging import Belonging, Belongings
    from nlctl.access.people import People, Person
    from nlctl.access.subjects import Column, Function, Subject

Row = dict[str, Any]
LOOKED_AT = 200
COPIED = 3
LONG_AGO = "2000-01-01T00:00:00Z"
ANYBODYS = (RowClass.NONE, RowClass.FOREIGN)
ALIVE = {RowClass.OWN, *ANYBODYS}
PLAIN_WORD = re.compile(r"[\w .:/-]+")


@dataclass(frozen=True)
class Rows:
    """Keys of some rows of one class, and one row to write on; `reason` says why there is none."""

    known: tuple[Row, ...] = ()
    example: Row | None = None
    reason: str = ""


class Shelf:
    """Where rows of each class are found or made, as the owner of the tables."""

    def __init__(
        self, connection: psycopg.Connection, belongings: Belongings, people: People
    ) -> None:
        self._connection = connection
        self._belongings = belongings
        self._other = people.other
        self._in_making: set[str] = set()  # tables that lead to each other in a circle end there

    def take(self, subject: Subject, row_class: RowClass, person: Person) -> Rows:
        """Rows of the class as it looks to `person`; a made one stays until the savepoint ends."""
        try:
            with self._connection.transaction():
                known = self._known(subject, row_class, person)
                if not known and self._accompany(subject, row_class, person):
                    known = self._known(subject, row_class, person)
        except psycopg.Error as error:
            return Rows(reason=f"Its rows could not be read: {database.reason(error)}.")
        if not subject.is_table:
            return Rows(known, reason="A view: the tables below it decide.")
        return self._with_one_more(subject, row_class, person, known)

    def _accompany(self, subject: Subject, row_class: RowClass, person: Person) -> bool:
        """Let him accompany somebody, so that something hangs from it."""
        bond = self._belongings.bond
        if bond is None or row_class is not RowClass.ASSIGNED or bond.is_made_in(subject):
            return False
        return self.take(bond.table, row_class, person).example is not None

    def _with_one_more(
        self, subject: Subject, row_class: RowClass, person: Person, known: tuple[Row, ...]
    ) -> Rows:
        there = self._some(subject, row_class, person) if known else ()
        reason = "No row of this class is there, and none could be made."
        for draft in self._drafts(subject, row_class, person, there):
            try:
                made = self._insert(subject, draft)
            except psycopg.Error as error:
                reason = f"No row of this class is there to try: {error.diag.message_primary}."
                if isinstance(error, LockNotAvailable):
                    break
            else:
                return Rows((*known, made), made)
        return Rows(known, there[0]) if there else Rows(reason=reason)

    def _known(self, subject: Subject, row_class: RowClass, person: Person) -> tuple[Row, ...]:
        if subject.template and not subject.is_folder:
            return ()
        where = self._belongings.predicate(subject, "r", row_class)
        if not subject.key:
            return self._select(subject, sql.SQL("to_jsonb(r)"), where, LOOKED_AT, person)
        parts = [
            sql.SQL("{}, {}").format(quoting.literal(name), quoting.identifier("r", name))
            for name in subject.key
        ]
        keys = sql.SQL("jsonb_build_object({})").format(sql.SQL(", ").join(parts))
        return self._select(subject, keys, where, LOOKED_AT, person)

    def _some(
        self, subject: Subject, row_class: RowClass | None, person: Person
    ) -> tuple[Row, ...]:
        """A few whole rows, of the class or of any."""
        where: sql.Composable = sql.SQL("true")
        if row_class:
            where = self._belongings.predicate(subject, "r", row_class)
        return self._select(subject, sql.SQL("to_jsonb(r)"), where, COPIED, person)

    def _select(
        self,
        subject: Subject,
        what: sql.Composable,
        where: sql.Composable,
        limit: int,
        person: Person,
    ) -> tuple[Row, ...]:
        order = sql.SQL(", ").join(quoting.identifier("r", name) for name in subject.key)
        query = sql.SQL("select {} from {} as r where {} {} limit {}").format(
            what,
            subject.identifier,
            where,
            sql.SQL("order by {}").format(order) if subject.key else sql.SQL(""),
            quoting.literal(limit),
        )
        cursor = self._connection.cursor(row_factory=tuple_row)
        found = cursor.execute(query, {"person": person.id, "kind": person.kind})
        return tuple(row for (row,) in found)

    def _drafts(
        self, subject: Subject, row_class: RowClass, person: Person, there: tuple[Row, ...]
    ) -> Iterator[Row]:
        if subject.template:
            owner = self._root_of(subject, row_class, person)
            template = subject.template.items()
            yield {name: value.replace(subjects.OWNER, owner) for name, value in template}
            return
        for row in there or self._some(subject, None, person):
            copied = {
                column.name: row[column.name]
                for column in subject.columns
                if not column.is_computed and not (column.is_unique and column.has_default)
            }
            yield self._classed(subject, freshened(subject, copied), row_class, person)
        row = self._classed(subject, {}, row_class, person)
        yield {**row, **self._missing(subject, row, row_class, person)}

    def keys_for(
        self, function: Function, row_class: RowClass | None, person: Person
    ) -> dict[str, Any]:
        """A row of the class for the first argument; for others, rows that belong to nobody."""
        wanted = {
            name: row_class if name == function.first else RowClass.NONE
            for name in function.objects
        }
        return {
            name: self.find_key(function.objects[name], each, person)
            for name, each in wanted.items()
            if each in self._belongings.classes(function.objects[name])
        }

    def _root_of(self, subject: Subject, row_class: RowClass, person: Person) -> str:
        """The id that stands in a template: a person's, or that of a row of the class."""
        if not subject.root:
            return str(person.id if row_class is RowClass.OWN else self._other.id)
        root = self._belongings.table(subject.root)
        return str(self.find_key(root, row_class, person) or uuid4())

    def find_key(self, subject: Subject, row_class: RowClass, person: Person) -> Any:
        """The key of one row of the class: the first that is there, or one that is made."""
        if row_class is not RowClass.DELETED:  # of those, one that might be his
            for row in self._some(subject, row_class, person):
                return row[subject.key[0]]
        made = self.take(subject, row_class, person).example
        return made and made[subject.key[0]]

    def _classed(self, subject: Subject, row: Row, row_class: RowClass, person: Person) -> Row:
        """The same row, belonging to whom the class says, and deleted or not."""
        belonging = self._belongings.of(subject)
        if row_class is RowClass.ASSIGNED:
            row = {**row, **self._bound(subject, person)}
        is_deleted = row_class is RowClass.DELETED
        if is_deleted:  # his own, if any, are those he might see
            row_class = RowClass.OWN if person.id else RowClass.FOREIGN
        mark = {DELETED_AT: LONG_AGO if is_deleted else None} if subject.keeps_deleted else {}
        if row_class is RowClass.ASSIGNED:
            return {**row, **mark}
        return {**self._owned(row, belonging, row_class, person), **mark}

    def _bound(self, subject: Subject, person: Person) -> Row:
        """What makes a row hang from something in which the person accompanies somebody."""
        bond = self._belongings.bond
        if bond is None:
            return {}
        if bond.is_made_in(subject):
            return {COMPANION: person.id}
        here, there = bond.link(subject) or ("", "")
        above = self.take(bond.table, RowClass.ASSIGNED, person).example or {}
        return {there: above.get(here)}

    def _owned(
        self, row: Row, belonging: Belonging | None, row_class: RowClass, person: Person
    ) -> Row:
        """The same row, belonging to whom the class says."""
        if belonging is None:
            return row
        names = [column.name for column in belonging.columns]
        if row_class is RowClass.NONE:
            return {**row, **dict.fromkeys(names)}
        if belonging.parent:
            parent, key = belonging.parent
            above = self.take(parent, row_class, person).example or {}
            return {**row, names[0]: above.get(key)}
        owner = self._owner(belonging, row_class, person)
        if row_class is RowClass.OWN:
            return {**row, names[0]: owner}
        held = [name for name in names if row.get(name) is not None] or names[:1]
        return {**row, **dict.fromkeys(held, owner)}

    def _owner(self, belonging: Belonging, row_class: RowClass, person: Person) -> str | None:
        if not belonging.is_by_type:
            return person.id if row_class is RowClass.OWN else self._other.id
        if row_class is RowClass.OWN:
            return person.kind
        return "prof" if person.kind == "client" else "client"

    def _missing(self, subject: Subject, row: Row, row_class: RowClass, person: Person) -> Row:
        """Values for what a row must have and has not."""
        missing = [
            column
            for column in subject.columns
            if column.is_required
            and not column.has_default
            and not column.is_computed
            and row.get(column.name) is None
        ]
        return {
            column.name: self._key_above(column.refers_to, row_class, person)
            if column.refers_to
            else _value(column)
            for column in missing
        }

    def _key_above(self, refers_to: tuple[str, str], row_class: RowClass, person: Person) -> Any:
        """What a foreign key may hold: a living row that is there, or else one that is made."""
        table, key = refers_to
        schema, _, name = table.partition(".")
        above = self._belongings.find(table)
        is_living = f"where {DELETED_AT} is null" if above and above.keeps_deleted else ""
        query = sql.SQL("select to_jsonb({}) from {} {} limit 1").format(
            quoting.identifier(key), quoting.identifier(schema, name), sql.SQL(is_living)
        )
        found = self._connection.cursor(row_factory=tuple_row).execute(query).fetchone()
        if found:
            return found[0]
        if above is None or table in self._in_making:
            return None
        classes = self._belongings.classes(above)
        alike = [each for each in (row_class, *ANYBODYS) if each in classes and each in ALIVE]
        self._in_making.add(table)
        made = self.take(above, alike[0], person).example or {}
        self._in_making.remove(table)
        return made.get(key)

    def _insert(self, subject: Subject, row: Row) -> Row:
        cursor = self._connection.cursor(row_factory=tuple_row)
        with self._connection.transaction():
            query = sql.SQL("{} returning to_jsonb({})").format(
                statements.insertion(subject, tuple(row)), quoting.identifier(subject.table)
            )
            made = cursor.execute(query, {"row": Jsonb(row)}).fetchone()
        if made is None:
            raise psycopg.DatabaseError("a trigger kept it from being inserted")
        found: Row = made[0]
        return found


def freshened(subject: Subject, row: Row) -> Row:
    """The same row with another key, where the key is a text or number of its own."""
    free = [
        column
        for column in subject.columns
        if column.name in row and column.is_unique and column.refers_to is None
    ]
    return {
        **row,
        **{column.name: guesses.another(column.type, row[column.name]) for column in free},
    }


def _value(column: Column) -> Any:
    is_text = guesses.TEXTS.match(column.type)
    words = [word for word in column.words if is_text and PLAIN_WORD.fullmatch(word)]
    return words[0] if words else guesses.value(column.type)
