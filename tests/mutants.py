"""Policies weakened or dropped one at a time, to see whether the access matrix notices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql

from nlctl import access
from nlctl.access import subjects

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import psycopg

    from nlctl.access import Line
    from nlctl.access.subjects import Subject

POLICIES = """
select polrelid::regclass::text, schemaname::text, tablename::text, policyname::text,
  qual is not null, with_check is not null,
  qual is not distinct from with_check and not exists (
    select from pg_depend d
    cross join unnest(roles) as role (name)
    join pg_attribute a on a.attrelid = polrelid and a.attnum = d.refobjsubid
    where d.classid = 'pg_policy'::regclass and d.objid = p.oid and d.refobjid = polrelid
      and has_column_privilege(role.name, polrelid, a.attnum, 'update')
  )
from pg_policies
join pg_policy p on polname = policyname
  and polrelid = format('%I.%I', schemaname, tablename)::regclass
order by schemaname, tablename, policyname
"""


@dataclass(frozen=True)
class Mutant:
    """A policy with something taken away from it."""

    policy: str
    schema: str
    table: str
    change: str
    opens: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.policy} {self.change}"

    @property
    def statement(self) -> sql.Composed:
        """What makes it."""
        verb = "alter" if self.opens else "drop"
        clauses = " ".join(f"{clause} (true)" for clause in self.opens)
        return sql.SQL("{} policy {} on {} {}").format(
            sql.SQL(verb),
            sql.Identifier(self.policy),
            sql.Identifier(self.schema, self.table),
            sql.SQL(clauses),
        )

    def is_noticed(self, connection: psycopg.Connection, expected: Sequence[Line]) -> bool:
        """Whether the matrix of its table differs from what is expected."""
        names = {subject.name for subject in subjects.find(connection) if self._is_on(subject)}
        with connection.transaction(force_rollback=True):
            connection.execute(self.statement)
            measured = access.measure_in(
                connection,
                only=self._is_on,
                with_calls=False,
            )
        about = [line for line in expected if line.title.rpartition(" ")[0] in names]
        return access.compare(about, measured.lines()) != []

    def _is_on(self, subject: Subject) -> bool:
        return (subject.schema, subject.table) == (self.schema, self.table)


def breed(connection: psycopg.Connection) -> list[Mutant]:
    """Every policy dropped, opened, and with one of its two clauses opened.

    A check is not opened alone where it repeats the condition and reads no column that may be
    written: whatever passed the one passes the other, so nobody could tell.
    """
    mutants: list[Mutant] = []
    for row in connection.execute(POLICIES):
        mutants.extend(_of(*row[1:]))
    return mutants


def _of(
    schema: str, table: str, policy: str, has_using: bool, has_check: bool, check_is_idle: bool
) -> Iterator[Mutant]:
    using = ("using",) if has_using else ()
    check = ("with check",) if has_check else ()
    yield Mutant(policy, schema, table, "dropped")
    yield Mutant(policy, schema, table, "opened", using + check)
    if has_using and has_check:
        yield Mutant(policy, schema, table, "with its condition opened", using)
        if not check_is_idle:
            yield Mutant(policy, schema, table, "with its check opened", check)
