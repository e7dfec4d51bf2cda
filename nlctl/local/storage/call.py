"""Calls: one request on its way through the service, and the answer to it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from nlctl.local.pipeline import Step
from nlctl.local.storage import callers, errors, names
from nlctl.local.storage.callers import SERVICE, Caller
from nlctl.local.storage.database import query
from nlctl.local.storage.fields import Fields

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from starlette.types import Receive, Scope

    from nlctl.local.storage.config import StorageConfig
    from nlctl.local.storage.database import Database
    from nlctl.local.storage.folder import Folder
    from nlctl.local.storage.resumable import Uploads
    from nlctl.local.tokens import Keyring

LARGEST_DOCUMENT = 8 * 1024 * 1024

to_json = json.JSONEncoder(ensure_ascii=False).encode
"""A JSON document; json.dumps would make an encoder for each."""


class Gone(Exception):
    """Whoever asked has hung up."""


@dataclass(frozen=True, slots=True)
class Service:
    """What every call works with."""

    config: StorageConfig
    keyring: Keyring
    database: Database
    folder: Folder
    uploads: Uploads


@dataclass(slots=True)
class Answer:
    """What is sent back; `chunks` follow the body, piece by piece."""

    status: int = 200
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)
    chunks: AsyncGenerator[bytes] | None = None


def answer(document: Any, status: int = 200) -> Answer:
    """A JSON document."""
    return answer_text(to_json(document), status)


def answer_text(text: str, status: int = 200) -> Answer:
    """A JSON document that PostgreSQL has written."""
    headers = [("content-type", "application/json; charset=utf-8")]
    return Answer(status, text.encode(), headers)


def answer_rows(rows: Sequence[str]) -> Answer:
    """A JSON array of documents that PostgreSQL has written."""
    return answer_text(f"[{','.join(rows)}]")


class Call:
    """One request: what it says, who sent it, and where in the routes it arrived."""

    def __init__(self, scope: Scope, receive: Receive, service: Service) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.receive = receive
        self.service = service
        self.operation = ""
        self.caller = SERVICE
        self.place: tuple[str, ...] = ()
        self._scope = scope

    @cached_property
    def headers(self) -> dict[str, str]:
        """By their names in lower case; the first of a name counts."""
        found: dict[str, str] = {}
        for name, value in self._scope["headers"]:
            found.setdefault(name.decode("latin-1"), value.decode("latin-1"))
        return found

    @cached_property
    def query(self) -> dict[str, str]:
        """The parameters; the last of a name counts."""
        return dict(
            parse_qsl(self._scope["query_string"].decode("latin-1"), keep_blank_values=True)
        )

    @property
    def address(self) -> str:
        """Path and parameters, as they were sent."""
        path = self._scope.get("raw_path") or self.path.encode()
        parameters = self._scope["query_string"]
        return (path + b"?" + parameters if parameters else path).decode("latin-1")

    @cached_property
    def bucket(self) -> str:
        """The bucket in the path."""
        return names.check_bucket(self.place[0])

    @cached_property
    def name(self) -> str:
        """The object in the path."""
        return names.check_object(self.place[1])

    @property
    def is_upsert(self) -> bool:
        """Whether what stands there may be replaced."""
        return self.headers.get("x-upsert") == "true"

    def authenticate(self, *, leniently: bool = False) -> None:
        """Find out who asks; `leniently` lets anybody go on as nobody."""
        shown, keyring = self.headers.get("authorization"), self.service.keyring
        if leniently:
            self.caller = callers.read_leniently(shown, keyring)
        elif shown is None:
            raise errors.invalid("headers must have required property 'authorization'")
        else:
            self.caller = callers.read(shown, keyring)

    def acting_as(self, caller: Caller, also: str = "scope", *parameters: str) -> Step:
        """The step after which SQL knows of this request, and `caller`'s rights apply.

        `also` is a query that does something more, with `parameters` from $9 on.
        """
        scope = (
            caller.role, caller.token, caller.subject, caller.claims, self._headers_document,
            self.method, self.address, self.operation,
        )  # fmt: skip
        return Step(query(also), _encode((*scope, *parameters)))

    def step(self, name: str, *parameters: str | None, caller: Caller | None = None) -> Step:
        """The query `name` for the rights of whoever asks, or of `caller`."""
        return Step(query(name), _encode(parameters), (caller or self.caller).role)

    def own_step(self, name: str, *parameters: str | None) -> Step:
        """The query `name` as the owner of the tables, before anybody else's rights apply."""
        return Step(query(name), _encode(parameters))

    async def document(self) -> Fields:
        """The JSON object in the body; one that is missing is an empty one."""
        body = await self.body(LARGEST_DOCUMENT)
        try:
            document = json.loads(body or b"{}")
        except (ValueError, RecursionError) as error:
            raise errors.invalid("Body is not valid JSON") from error
        if not isinstance(document, dict):
            raise errors.invalid("body must be object")
        return Fields(document)

    async def body(self, limit: int) -> bytes:
        """The whole body, where it is no larger than `limit`."""
        content = bytearray()
        async for chunk in self.chunks():
            content += chunk
            if len(content) > limit:
                raise errors.too_large()
        return bytes(content)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives."""
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise Gone
            if message.get("body"):
                yield message["body"]
            if not message.get("more_body", False):
                return

    @cached_property
    def _headers_document(self) -> str:
        return json.dumps(self.headers)


def _encode(values: Sequence[str | None]) -> list[bytes | None]:
    return [None if each is None else each.encode() for each in values]
