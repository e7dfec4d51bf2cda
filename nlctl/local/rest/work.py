"""Work: one request on its way through one transaction."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import psycopg

from nlctl.local.pipeline import Step
from nlctl.local.rest import context
from nlctl.local.rest.errors import not_singular, put_key_differs, too_many_affected
from nlctl.local.rest.names import Name
from nlctl.local.rest.request import Action, Count, Transaction
from nlctl.local.rest.result import Result

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

    from nlctl.local.pipeline import Connection
    from nlctl.local.rest.knowledge import Knowledge, Prepared
    from nlctl.local.rest.request import ApiRequest
    from nlctl.local.rest.shape import Values

LIMITED = {Action.UPDATE, Action.DELETE, Action.CALL}
"""What may be told how many rows it affects at most."""

BEGIN = Step(b"begin")
BEGINNINGS = {
    level: Step(f"begin isolation level {level}".encode())
    for level in ("repeatable read", "serializable")
}
COMMIT = Step(b"commit")
ROLLBACK = Step(b"rollback")
CHECK = Step(b"set constraints all immediate")


@dataclass(slots=True)
class Work:
    """What is asked, with all that it takes to answer it."""

    known: Knowledge
    prepared: Prepared
    values: Values
    request: ApiRequest

    async def run(self, connection: Connection) -> Result:
        """Do it, once more where the database changed under a prepared statement."""
        try:
            return await self._run(connection)
        except psycopg.Error as error:
            if not _is_stale(error):
                raise
        # The transaction came to nothing, so it can be tried again with statements made anew.
        connection.forget()
        return await self._run(connection)

    async def _run(self, connection: Connection) -> Result:
        steps, begin, end = self._steps(), self._begin(), self._end()
        main = len(steps) - 1 - (self.prepared.estimate is not None)
        if self._may_undo():
            results = await _in_transaction(connection, [begin or BEGIN, *steps])
            result = await self._accepted_or_undone(connection, results[main + 1])
            await _in_transaction(connection, end)
            return result
        if begin or end != [COMMIT]:
            _, *results = await _in_transaction(connection, [begin or BEGIN, *steps, *end])
        else:  # What is sent together is one transaction anyway, and its end commits it.
            results = await connection.run(steps)
        expected = _expected_rows(results[main + 1]) if self.prepared.estimate else None
        return self._accepted(self._result(results[main], expected))

    async def _accepted_or_undone(self, connection: Connection, row: PGresult) -> Result:
        try:
            return self._accepted(self._result(row))
        except BaseException:
            await connection.run([ROLLBACK])
            raise

    def _begin(self) -> Step | None:
        """What begins a transaction that is isolated in its own way."""
        called, role = self.prepared.plan.call, self.request.identity.role
        level = called.function.isolation if called else None
        level = level or self.known.schema.role_settings.get(role, {}).get(context.ISOLATION)
        return BEGINNINGS.get(level.lower()) if level else None

    def _steps(self) -> list[Step]:
        prepared, role = self.prepared, self.request.identity.role
        called = prepared.plan.call
        steps = [
            context.of(
                self.request,
                self.known.config,
                self.known.schema,
                function_settings=called.function.settings if called else (),
                is_read_only=prepared.plan.is_read_only,
            )
        ]
        if self.known.config.pre_request:
            steps.append(Step(_pre_request(self.known.config.pre_request), (), role))
        steps.append(Step(prepared.main.text, prepared.main.parameters(self.values), role))
        if prepared.estimate:
            estimate = prepared.estimate
            steps.append(Step(estimate.text, estimate.parameters(self.values), role))
        return steps

    def _end(self) -> list[Step]:
        asked = self.request.preferences.transaction
        end = self.known.config.transaction_end
        if self.known.config.may_override_transaction and asked:
            is_kept = asked is Transaction.COMMIT
        else:
            is_kept = end.startswith("commit")
        # What is not kept still has to hold, or the answer would promise what cannot be.
        return [COMMIT] if is_kept else [CHECK, ROLLBACK]

    def _may_undo(self) -> bool:
        """Whether the result decides if what was done is kept."""
        made, preferences = self.prepared.plan, self.request.preferences
        if made.is_read_only or made.answer.explain:
            return False
        is_limited = preferences.is_strict and preferences.max_affected is not None
        return made.answer.is_single or is_limited or self.request.action is Action.PUT

    def _accepted(self, result: Result) -> Result:
        """The result, unless it has another size than was asked for."""
        made, preferences = self.prepared.plan, self.request.preferences
        if made.answer.explain:
            return result
        if self.request.action is Action.PUT:
            if result.rows != 1:
                raise put_key_differs()
            return result
        if made.answer.is_single and result.rows != 1:
            raise not_singular(result.rows)
        most = preferences.max_affected if preferences.is_strict else None
        if most is not None and self.request.action in LIMITED and result.rows > most:
            raise too_many_affected(result.rows)
        return result

    def _result(self, row: PGresult, expected: int | None = None) -> Result:
        made = self.prepared.plan
        if made.answer.explain:
            lines = (row.get_value(line, 0) or b"" for line in range(row.ntuples))
            return Result(b"\n".join(lines) + b"\n", made.answer.media)
        mutation = made.mutation
        inserted, location = text(row, 5), text(row, 6)
        return Result(
            body=row.get_value(0, 2) or b"",
            media=made.answer.media,
            rows=int(text(row, 1) or 0),
            total=self._total(text(row, 0), expected),
            inserted=int(inserted) if inserted else None,
            location=_location(location) if location else (),
            headers=text(row, 3),
            status=text(row, 4),
            is_void=made.call is not None and made.call.function.is_void,
            is_resolved=mutation is None or bool(mutation.conflict),
            warning=made.warning,
        )

    def _total(self, counted: str | None, expected: int | None) -> int | None:
        """An estimate counts as far as rows are shown, and believes the planner beyond."""
        if expected is not None and self.prepared.plan.count is Count.PLANNED:
            return expected
        total = int(counted) if counted else None
        most = self.known.config.max_rows
        if expected is None or total is None or (most is not None and total <= most):
            return total
        return max(total, expected)


async def _in_transaction(connection: Connection, steps: list[Step]) -> list[PGresult]:
    """Run steps; where one fails, end the transaction that they leave behind."""
    try:
        return await connection.run(steps)
    except psycopg.Error:
        if connection.is_in_transaction:
            await connection.run([ROLLBACK])
        raise


def _is_stale(error: psycopg.Error) -> bool:
    """Whether a statement was prepared before something it uses was changed."""
    replanned = "cached plan must not change result type"
    return error.sqlstate == "26000" or (error.diag.message_primary or "") == replanned


@lru_cache(maxsize=8)
def _pre_request(function: str) -> bytes:
    home, _, name = function.rpartition(".")
    return f"select {Name(home, name).sql}()".encode()


def text(result: PGresult, column: int) -> str | None:
    """A column of the first row; None where it is null."""
    value = result.get_value(0, column)
    return None if value is None else value.decode()


def _expected_rows(result: PGresult) -> int:
    explained = json.loads(result.get_value(0, 0) or b"[]")
    return int(explained[0]["Plan"]["Plan Rows"])


def _location(document: str) -> tuple[tuple[str, str], ...]:
    pairs = json.loads(document)
    return tuple((name, "is.null" if value is None else f"eq.{value}") for name, value in pairs)
