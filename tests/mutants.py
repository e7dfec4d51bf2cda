"""Policies weakened or dropped one at a time, to see whether the access matrix notices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString

from psycopg import sql
from psycopg.rows import dict_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import psycopg

    from nlctl.access import Line, Survey
    from nlctl.access.subjects import Subject

POLICIES = """
select policyname::text as policy, schemaname::text as schema, tablename::text as table,
  cmd as command, qual as using, with_check as check,
  qual is not distinct from with_check and not exists (
    select from pg_depend d
    cross join unnest(roles) as role (name)
    join pg_attribute a on a.attrelid = polrelid and a.attnum = d.refobjsubid
    where d.classid = 'pg_policy'::regclass and d.objid = p.oid and d.refobjid = polrelid
      and has_column_privilege(role.name, polrelid, a.attnum, 'update')
  ) as check_is_idle
from pg_policies
join pg_policy p on polname = policyname
  and polrelid = format('%I.%I', schemaname, tablename)::regclass
order by schemaname, tablename, policyname
"""
ALIVE = "(deleted_at IS NULL)"


@dataclass(frozen=True)
class Mutant:
    """A policy with something taken away from it."""

    policy: str
    schema: str
    table: str
    change: str
    clauses: LiteralString = ""

    def __str__(self) -> str:
        return f"{self.policy} {self.change}"

    @property
    def statement(self) -> sql.Composed:
        """What makes it."""
        return sql.SQL("{} policy {} on {} {}").format(
            sql.SQL("alter" if self.clauses else "drop"),
            sql.Identifier(self.policy),
            sql.Identifier(self.schema, self.table),
            sql.SQL(self.clauses),
        )

    def is_noticed(
        self, connection: psycopg.Connection, survey: Survey, expected: Mapping[str, Line]
    ) -> bool:
        """Whether some cell of its table is other than expected; the first such is enough."""
        concerned = [each for each in survey.subjects if self._is_on(each)]
        with connection.transaction(force_rollback=True):
            connection.execute(self.statement)
            return any(
                cell.mark != expected[cell.title].marks[cell.person][index % width]
                for subject in concerned
                for width in [len(subject.operations)]
                for index, cell in enumerate(survey.cells(subject))
            )

    def _is_on(self, subject: Subject) -> bool:
        return (subject.schema, subject.table) == (self.schema, self.table)


def breed(connection: psycopg.Connection) -> list[Mutant]:
    """Every policy dropped, opened, with one clause opened, and with the deleted in its sight.

    What nobody could tell is left out: a check opened alone that repeats the condition and reads no
    column that may be written, and a deletion of what is deleted, which app.soft_delete ignores.
    """
    cursor = connection.cursor(row_factory=dict_row)
    return [
        Mutant(policy["policy"], policy["schema"], policy["table"], change, clauses)
        for policy in cursor.execute(POLICIES).fetchall()
        for change, clauses in _changes(policy)
    ]


def _changes(policy: dict[str, Any]) -> Iterator[tuple[str, LiteralString]]:
    using: LiteralString = "using (true)" if policy["using"] else ""
    check: LiteralString = "with check (true)" if policy["check"] else ""
    yield "dropped", ""
    yield "opened", f"{using} {check}"
    if using and check:
        yield "with its condition opened", using
        if not policy["check_is_idle"]:
            yield "with its check opened", check
    if ALIVE in (policy["using"] or "") and policy["command"] != "DELETE":
        yield "with the deleted in sight", f"using ({policy['using'].replace(ALIVE, 'true')})"
