"""Database: keeps what is known of it up to date, and lends connections to those who ask."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg

from nlctl.local.pipeline import Pool, Step
from nlctl.local.rest import context, database_errors, overloads, overrides, plan, schema
from nlctl.local.rest.errors import ApiError, cache_missing, max_affected_needs_set
from nlctl.local.rest.knowledge import Knowledge
from nlctl.local.rest.names import Name
from nlctl.local.rest.openapi import Visible
from nlctl.local.rest.request import Action
from nlctl.local.rest.watcher import Watcher
from nlctl.local.rest.work import Work, text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from nlctl.local.pipeline import Connection
    from nlctl.local.rest.config import RestConfig
    from nlctl.local.rest.plan import Plan
    from nlctl.local.rest.request import ApiRequest
    from nlctl.local.rest.result import Result
    from nlctl.local.rest.schema import Schema

T = TypeVar("T")

VISIBLE = (Path(__file__).parent / "catalogue" / "visible.sql").read_bytes()


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
        work = Work(known, prepared, values, request)
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
            raise database_errors.read(error, is_anonymous=is_anonymous) from error

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
        relations, functions, comment = (text(row, column) for column in range(3))
        return set(json.loads(relations or "[]")), set(json.loads(functions or "[]")), comment


def _check(made: Plan, request: ApiRequest, config: RestConfig) -> None:
    """Refuse what the values or preferences of a request rule out, whatever its shape."""
    mutation, call, preferences = made.mutation, made.call, request.preferences
    if config.safe_update and mutation and mutation.changes_all:
        verb = "UPDATE" if mutation.action is Action.UPDATE else "DELETE"
        raise ApiError("21000", f"{verb} requires a WHERE clause", status=400)
    is_limited = preferences.is_strict and preferences.max_affected is not None
    if call and is_limited and not call.function.returns_set:
        raise max_affected_needs_set()


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
