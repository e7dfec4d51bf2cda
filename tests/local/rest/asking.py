"""The Data API asked without a socket, over a database that answers as it is told."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from nlctl.local.rest.app import DataApi
from nlctl.local.rest.config import RestConfig
from nlctl.local.rest.openapi import Visible
from nlctl.local.rest.result import Result
from nlctl.local.rest.schema import Schema
from tests.local import test_tokens

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nlctl.local.rest.request import ApiRequest
    from nlctl.local.tokens import Keyring

RING = test_tokens.RING
CONFIG = RestConfig("postgresql://nowhere", schemas=("public", "other"))


@dataclass
class Stub:
    """A database that remembers what it was asked and answers what it was told to."""

    config: RestConfig = CONFIG
    schema: Schema | None = field(default_factory=lambda: Schema({}, {}, {}))
    result: Result = field(default_factory=lambda: Result(b"[]"))
    asked: list[ApiRequest] = field(default_factory=list)
    is_running: bool = False

    async def start(self) -> None:
        self.is_running = True

    async def stop(self) -> None:
        self.is_running = False

    async def run(self, request: ApiRequest) -> Result:
        self.asked.append(request)
        return self.result

    async def visible(self, request: ApiRequest) -> Visible:
        self.asked.append(request)
        return Visible((), ())

    def methods(self, request: ApiRequest) -> Iterable[str]:
        self.asked.append(request)
        return ("OPTIONS", "GET", "HEAD")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for known, value in self.headers if known == name), None)

    @property
    def error(self) -> dict[str, Any]:
        return cast("dict[str, Any]", json.loads(self.body))

    @property
    def code(self) -> tuple[int, str]:
        return self.status, self.error["code"]


def ask(
    stub: Stub,
    method: str = "GET",
    path: str = "/things",
    *,
    body: bytes | Iterable[bytes] = b"",
    ring: Keyring = RING,
    **headers: str | bytes,
) -> Answer:
    """One request, without a socket or an HTTP library that would mend it."""
    path, _, query = path.partition("?")
    parts = [body] if isinstance(body, bytes) else list(body)
    sent: list[dict[str, Any]] = []
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "root_path": "/rest/v1",
        "query_string": query.encode(),
        "headers": [
            (name.replace("_", "-").encode(), value if isinstance(value, bytes) else value.encode())
            for name, value in headers.items()
        ],
    }

    async def receive() -> dict[str, Any]:
        if not parts:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(DataApi(stub, ring)(scope, receive, send))
    start, *bodies = sent
    return Answer(
        start["status"],
        [(name.decode(), value.decode()) for name, value in start["headers"]],
        b"".join(message["body"] for message in bodies),
    )


def asked(stub: Stub) -> ApiRequest:
    (request,) = stub.asked
    return request
