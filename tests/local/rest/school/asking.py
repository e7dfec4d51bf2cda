"""People who ask the Data API of the school, with no network between."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from nlctl.local.rest.app import DataApi
from nlctl.local.rest.database import Database
from tests.local.rest.serving import bearer
from tests.local.test_tokens import RING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nlctl.local.rest.config import RestConfig


PATIENCE = 60
"""Seconds until something that should happen is given up."""


@dataclass(frozen=True)
class Answer:
    """What somebody was answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Of a refusal."""
        return str(self.json["code"])


@dataclass(frozen=True)
class School:
    """A running Data API, on an event loop of its own."""

    runner: asyncio.Runner
    database: Database
    api: DataApi
    tokens: dict[str, str] = field(default_factory=dict)

    def as_(self, role: str, **claims: object) -> School:
        """The same school, asked by somebody with a token."""
        return School(self.runner, self.database, self.api, bearer(role, **claims))

    def get(self, target: str, **headers: str) -> Answer:
        return self.ask("GET", target, **headers)

    def post(self, target: str, body: Any = None, **headers: str) -> Answer:
        return self.ask("POST", target, body, **headers)

    def patch(self, target: str, body: Any, **headers: str) -> Answer:
        return self.ask("PATCH", target, body, **headers)

    def put(self, target: str, body: Any, **headers: str) -> Answer:
        return self.ask("PUT", target, body, **headers)

    def delete(self, target: str, **headers: str) -> Answer:
        return self.ask("DELETE", target, **headers)

    def ask(self, method: str, target: str, body: Any = None, **headers: str) -> Answer:
        """Ask and wait. A body that is no text is sent as JSON; `_` in a header's name is `-`."""
        return self.runner.run(self.asking(method, target, body, **headers))

    async def asking(self, method: str, target: str, body: Any = None, **headers: str) -> Answer:
        """The same for several at once."""
        path, _, query = target.partition("?")
        content = body if isinstance(body, bytes) else b"" if body is None else _encoded(body)
        said = {**{name.replace("_", "-"): text for name, text in headers.items()}, **self.tokens}
        scope = {
            "type": "http",
            "method": method,
            "path": unquote(path),
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), text.encode()) for name, text in said.items()],
        }
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": content}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.api(scope, receive, send)
        told = {name.decode(): text.decode() for name, text in sent[0]["headers"]}
        return Answer(sent[0]["status"], told, b"".join(part["body"] for part in sent[1:]))

    def until(self, is_so: Callable[[], bool]) -> None:
        """Let the API go on by itself until something is so."""

        async def watch() -> None:
            async with asyncio.timeout(PATIENCE):
                while not is_so():
                    await asyncio.sleep(0.005)

        self.runner.run(watch())

    def until_told(self, act: Callable[[], object]) -> None:
        """Do what changes the schema, and wait for the API to have heard of it."""
        before = self.database.schema
        act()
        self.until(lambda: self.database.schema is not before)


def _encoded(body: Any) -> bytes:
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def opened(config: RestConfig) -> Iterator[School]:
    """A school that is open until the end."""
    with asyncio.Runner() as runner:
        database = Database(config)
        api = DataApi(database, RING)
        runner.run(api.start())
        yield School(runner, database, api)
        runner.run(api.stop())
