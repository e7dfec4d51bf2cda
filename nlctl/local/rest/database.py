"""Database: runs planned requests, each in a transaction of its own as the role that asks."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg

from nlctl.local.pipeline import Pool, Step
from nlctl.local.rest import context, overloads, overrides, plan, schema, shape, sql, unfiltered
from nlctl.local.rest.errors import (
    ApiError,
    cache_missing,
    from_database,
    max_affected_needs_set,
    not_singular,
    put_key_differs,
    too_many_affected,
)
from nlctl.local.rest.names import Name
from nlctl.local.rest.openapi import Visible
from nlctl.local.rest.request import Action, Count, Transaction
from nlctl.local.rest.result import Result
from nlctl.local.rest.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable, Iterable

    from psycopg.pq.abc import PGresult

    from nlctl.local.pipeline import Connection
    from nlctl.local.rest.config import RestConfig
    from nlctl.local.rest.plan import Plan
    from nlctl.local.rest.request import ApiRequest
    from nlctl.local.rest.schema import Schema
    from nlctl.local.rest.shape import Values
    from nlctl.local.rest.sql import Statement

T = TypeVar("T")

PLANS = 2048
"""Shapes of requests whose plans are kept."""

VISIBLE = (Path(__file__).parent / "catalogue" / "visible.sql").read_bytes()

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


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan with its statements."""

    plan: Plan
    main: Statement
    estimate: Statement | None


@dataclass(slots=True)
class Knowledge:
    """What is known at one time: the configuration, the schema, and plans made with them."""

    config: RestConfig
    schema: Schema
    plans: dict[Hashable, Prepared] = field(default_factory=dict)

    def prepare(self, request: ApiRequest) -> tuple[Prepared, Values]:
        """The statements for a request, and the values they take."""
        key, values = shape.of(request, self.config.max_rows)
        prepared = self.plans.get(key)
        if prepared is None:
            prepared = self._prepare(request)
            if len(self.plans) >= PLANS:
                self.plans.pop(next(iter(self.plans)))
            self.plans[key] = prepared
        return prepared, values

    def _prepare(self, request: ApiRequest) -> Prepared:
        made = plan.make(request, self.schema, self.config)
        if made.call and self.config.safe_update:
            unfiltered.tell(made.call.function)
        return Prepared(made, sql.main(made), sql.estimate(made))


class Database:
    """One database as the Data API sees it."""

    def __init__(self, config: RestConfig) -> None:
        self._configured = config
        self._known: Knowledge | None = None
        self._pool = Pool(
            config.database_url,
            "nlctl rest",
            size=config.pool_size,
            patience=config.pool_timeout,
        )
        self._watcher = Watcher(config.database_url, self._load)

    @property
    def config(self) -> RestConfig:
        """What was configured, with the changes that the database makes to it."""
        return self._known.config if self._known else self._configured

    @property
    def schema(self) -> Schema | None:
        """What is known of the schema; None until it could be read."""
        return self._known.schema if self._known else None

    async def start(self) -> None:
        """Read the schema, and keep reading it whenever it changes."""
        await self._watcher.start()

    async def stop(self) -> None:
        await self._watcher.stop()
        self._pool.close()

    async def run(self, request: ApiRequest) -> Result:
        """Do what is asked, wholly or not at all."""
        known = self._know()
        prepared, values = known.prepare(request)
        _check(prepared.plan, request, known.config)
        work = _Work(known, prepared, values, request)
        return await self._lend(known, request, work.run)

    async def visible(self, request: ApiRequest) -> Visible:
        """What a description of the API tells the one who asks."""
        known = self._know()
        relations = [one for one in known.schema.relations.values() if _is_in(one.name, request)]
        functions = [
            one
            for overloads in known.schema.functions.values()
            for one in overloads
            if _is_in(one.name, request)
        ]
        touchable, callable_, comment = await self._touchable(known, request)
        search_path: tuple[str, ...] = ()
        if known.config.openapi_mode == "follow-privileges":
            relations = [one for one in relations if one.name.name in touchable]
            functions = [one for one in functions if one.id in callable_]
            search_path = (request.schema, *known.config.extra_search_path)
        return Visible(
            tuple(relations), tuple(functions), known.schema.relationships, comment, search_path
        )

    def methods(self, request: ApiRequest) -> Iterable[str]:
        """What may be asked of a path, whoever asks."""
        known = self._know()
        name = Name(request.schema, request.name or "")
        if request.name is None:
            return ("OPTIONS", "GET", "HEAD")
        if request.is_function:
            named = known.schema.functions.get(name) or [
                overloads.find(known.schema, name, request)
            ]
            may_write = all(function.may_write for function in named)
            return ("OPTIONS", "POST") if may_write else ("OPTIONS", "GET", "HEAD", "POST")
        return _relation_methods(plan.find_relation(known.schema, name))

    async def _lend(
        self, known: Knowledge, request: ApiRequest, work: Callable[[Connection], Awaitable[T]]
    ) -> T:
        """Work on one connection; what the database refuses there reads as the API says."""
        try:
            connection = await self._pool.acquire()
            try:
                return await work(connection)
            finally:
                self._pool.release(connection)
        except psycopg.Error as error:
            is_anonymous = request.identity.role == known.config.anon_role
            raise from_database(error, is_anonymous=is_anonymous) from error

    def _know(self) -> Knowledge:
        if self._known is None:
            raise cache_missing()
        return self._known

    async def _load(self, connection: psycopg.AsyncConnection[Any]) -> None:
        settings = await schema.read_settings(connection)
        config = overrides.apply(settings, self._configured)
        self._known = Knowledge(config, await schema.read(connection, config))

    async def _touchable(
        self, known: Knowledge, request: ApiRequest
    ) -> tuple[set[str], set[int], str | None]:
        steps = [
            context.of(request, known.config, known.schema),
            Step(VISIBLE, (request.schema.encode(),), request.identity.role),
        ]
        _, row = await self._lend(known, request, lambda connection: connection.run(steps))
        relations, functions, comment = (_text(row, column) for column in range(3))
        return set(json.loads(relations or "[]")), set(json.loads(functions or "[]")), comment


@dataclass(slots=True)
class _Work:
    """One request on its way through one transaction."""

    known: Knowledge
    prepared: Prepared
    values: Values
    request: ApiRequest

    async def run(self, connection: Connection) -> Result:
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
        inserted, location = _text(row, 5), _text(row, 6)
        return Result(
            body=row.get_value(0, 2) or b"",
            media=made.answer.media,
            rows=int(_text(row, 1) or 0),
            total=self._total(_text(row, 0), expected),
            inserted=int(inserted) if inserted else None,
            location=_location(location) if location else (),
            headers=_text(row, 3),
            status=_text(row, 4),
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


def _check(made: Plan, request: ApiRequest, config: RestConfig) -> None:
    """Refuse what the values or preferences of a request rule out, whatever its shape."""
    mutation, call, preferences = made.mutation, made.call, request.preferences
    if config.safe_update and mutation and mutation.changes_all:
        verb = "UPDATE" if mutation.action is Action.UPDATE else "DELETE"
        raise ApiError("21000", f"{verb} requires a WHERE clause", status=400)
    is_limited = preferences.is_strict and preferences.max_affected is not None
    if call and is_limited and not call.function.returns_set:
        raise max_affected_needs_set()


@lru_cache(maxsize=8)
def _pre_request(function: str) -> bytes:
    home, _, name = function.rpartition(".")
    return f"select {Name(home, name).sql}()".encode()


def _text(result: PGresult, column: int) -> str | None:
    value = result.get_value(0, column)
    return None if value is None else value.decode()


def _expected_rows(result: PGresult) -> int:
    explained = json.loads(result.get_value(0, 0) or b"[]")
    return int(explained[0]["Plan"]["Plan Rows"])


def _location(text: str) -> tuple[tuple[str, str], ...]:
    pairs = json.loads(text)
    return tuple((name, "is.null" if value is None else f"eq.{value}") for name, value in pairs)


def _is_in(name: Name, request: ApiRequest) -> bool:
    return name.schema == request.schema


def _relation_methods(relation: schema.Relation) -> Iterable[str]:
    yield from ("OPTIONS", "GET", "HEAD")
    if relation.is_insertable:
        yield "POST"
    if relation.is_insertable and relation.is_updatable and relation.key:
        yield "PUT"
    if relation.is_updatable:
        yield "PATCH"
    if relation.is_deletable:
        yield "DELETE"
