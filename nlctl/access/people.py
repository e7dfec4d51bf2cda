"""Those who act: people the database has, and for the kinds it lacks, some made for the moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from psycopg.rows import tuple_row

from nlctl import database
from nlctl.access.belonging import RowClass
from nlctl.database import Caller

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg

KINDS = ("client", "prof", "admin", "owner", "suspended")
NAMES = ("anon", *KINDS, "service_role")
OTHER = "other"
COMPANION = "prof"


@dataclass(frozen=True)
class Person:
    """Somebody who acts: with an account, or with nothing but a key."""

    name: str
    caller: Caller
    id: str | None = None
    kind: str | None = None
    is_made: bool = False

    def may_have(self, row_class: RowClass) -> bool:
        """Whether rows can be of that class for him: only a prof accompanies anybody."""
        if row_class is RowClass.ASSIGNED:
            return self.kind == COMPANION
        return row_class is not RowClass.OWN or self.id is not None


@dataclass(frozen=True)
class People:
    """Who acts, in the order of the columns, and the client whose rows are foreign to them all."""

    acting: tuple[Person, ...]
    other: Person

    def named(self, names: tuple[str, ...]) -> People:
        """Only those called so, in that order."""
        known = {person.name: person for person in self.acting}
        return People(tuple(known[name] for name in names if name in known), self.other)


def gather(connection: psycopg.Connection) -> People:
    """Everybody, for the length of this transaction: nobody who exists already is changed."""
    has_profiles = _has_profiles(connection)
    known = _known(connection) if has_profiles else {}
    kinds = KINDS if has_profiles else KINDS[:1]
    people = [
        _person(connection, kind, known, has_profiles=has_profiles) for kind in (*kinds, OTHER)
    ]
    visitor = Person("anon", Caller("anon"))
    server = Person("service_role", Caller("service_role"))
    return People((visitor, *people[:-1], server), people[-1])


def _has_profiles(connection: psycopg.Connection) -> bool:
    cursor = connection.cursor(row_factory=tuple_row)
    found = cursor.execute("select to_regclass('public.profiles') is not null").fetchone()
    return found is not None and bool(found[0])


def _known(connection: psycopg.Connection) -> Mapping[str, str]:
    cursor = connection.cursor(row_factory=tuple_row)
    rows = cursor.execute(database.load_sql("nlctl.access.sql", "people")).fetchall()
    return {kind: str(user_id) for kind, user_id in rows}


def _person(
    connection: psycopg.Connection, name: str, known: Mapping[str, str], *, has_profiles: bool
) -> Person:
    kind = "client" if name in {"suspended", OTHER} else name
    user_id = known.get(name) or str(uuid4())
    if name not in known:
        status = "suspended" if name == "suspended" else "active"
        _make(connection, user_id, kind if has_profiles else None, status)
    caller = database.find_caller(connection, user_id)
    return Person(name, caller, user_id, kind, is_made=name not in known)


def _make(connection: psycopg.Connection, user_id: str, kind: str | None, status: str) -> None:
    account = {"id": user_id, "email": f"{user_id}@example.invalid"}
    connection.execute(database.load_sql("nlctl.access.sql", "add_account"), account)
    if kind:
        connection.execute(
            "update public.profiles set user_type_id = %s, status = %s where id = %s",
            (kind, status, user_id),
        )
