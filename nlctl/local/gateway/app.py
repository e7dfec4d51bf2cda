"""The gateway's application: from the public address to a service and back."""

from __future__ import annotations

import json
import logging
from time import perf_counter
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from nlctl.local.gateway import access_log, cors, routes
from nlctl.local.gateway.keys import Credentials, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from nlctl.local.gateway.cors import RawHeaders
    from nlctl.local.gateway.keys import Admission, ApiKeys
    from nlctl.local.gateway.routes import Route

HEALTH = "/health"
SWITCHING = 101
SOCKET_KEY = b"x-api-key"  # a websocket's service reads the key there: pages set no other header

log = logging.getLogger("nlctl.gateway")


def create(
    services: Mapping[str, ASGIApp],
    keys: ApiKeys,
    *,
    health: Mapping[str, Any],
    write: Callable[[str], None],
) -> ASGIApp:
    """One application in front of `services` (by their name in routes.ROUTES).

    `health` is what /health tells; `write` gets the access log, line by line.
    """

    async def gateway(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in {"http", "websocket"}:
            await _Exchange(scope, receive, send, services, keys, health).go(write)

    return gateway


class _Exchange:
    """One request and its answer, or one websocket until it ends."""

    __slots__ = (
        "began", "deliver", "headers", "health", "is_socket", "keys", "receive", "route", "scope",
        "service", "services", "size", "status",
    )  # fmt: skip

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        services: Mapping[str, ASGIApp],
        keys: ApiKeys,
        health: Mapping[str, Any],
    ) -> None:
        self.scope = scope
        self.receive = receive
        self.deliver = send
        self.services = services
        self.keys = keys
        self.health = health
        self.headers: dict[bytes, bytes] = dict(reversed(scope["headers"]))
        name = routes.find(scope["path"])
        self.service = name if name in services else None
        self.route = routes.ROUTES[self.service] if self.service else None
        self.is_socket = scope["type"] == "websocket"
        self.status = 0
        self.size = 0
        self.began = perf_counter()

    async def go(self, write: Callable[[str], None]) -> None:
        """Answer, whatever happens, and write the line."""
        try:
            await self._answer()
        except Refused as refusal:
            await self._say(refusal.status, {"message": refusal.message, "hint": refusal.hint})
        except Exception:
            log.exception("%s failed", self._name)
            if self.status:
                raise  # the server must break the connection off: half an answer is out
            await self._say(500, {"message": "The local stack failed; see: nlctl logs api"})
        finally:
            write(
                access_log.line(
                    self.scope, self._name, status=self.status, size=self.size, began=self.began
                )
            )

    @property
    def _name(self) -> str:
        return self.service or "gateway"

    async def _answer(self) -> None:
        if cors.is_preflight(self.scope.get("method", "GET"), self.headers):
            await self._send_start(200, cors.preflight_answer(self.headers))
            await self.deliver({"type": "http.response.body"})
        elif self.scope["path"] == HEALTH and not self.is_socket:
            await self._say(200, self.health)
        elif self.service is None or self.route is None or not self._is_spoken(self.route):
            await self._say(404, {"message": "no Route matched with those values"})
        else:
            await self._pass_on(self.services[self.service], self.route)

    def _is_spoken(self, route: Route) -> bool:
        return route.has_sockets or not self.is_socket

    async def _pass_on(self, service: ASGIApp, route: Route) -> None:
        path = self.scope["path"][len(route.prefix) :] or "/"
        parameters = self.scope["query_string"]
        key, rest = _take_key(parameters) if b"apikey=" in parameters else (None, parameters)
        key = self._header(b"apikey") or key
        authorization = self._header(b"authorization")
        admission = self.keys.admit(
            Credentials(key, authorization, self._header(b"user-agent") or ""),
            # `supabase start` asks for no key, and the clients of Auth alone send none. Whoever
            # else forgot it hears what the platform would say.
            needs_key=route.needs_key(path) and b"x-supabase-api-version" not in self.headers,
        )
        _keep_root_private(route, path, admission)
        inner: dict[str, Any] = {
            **self.scope,
            "root_path": route.prefix,
            "path": path,
            "raw_path": self._inner_raw_path(route, path),
            "query_string": rest,
        }
        if admission.authorization != authorization:
            inner["headers"] = self._with_authorization(admission.authorization or "")
        if self.is_socket and key:
            token = self.keys.token_of(key).encode("latin-1")
            kept = [each for each in inner["headers"] if each[0] != SOCKET_KEY]
            inner["headers"] = [*kept, (SOCKET_KEY, token)]
        await service(inner, self.receive, self._forward)

    def _header(self, name: bytes) -> str | None:
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    def _inner_raw_path(self, route: Route, path: str) -> bytes:
        raw: bytes | None = self.scope.get("raw_path")
        if raw is None or not raw.startswith(route.raw_prefix):
            return quote(path).encode()
        return raw[len(route.raw_prefix) :] or b"/"

    def _with_authorization(self, authorization: str) -> RawHeaders:
        kept = [each for each in self.scope["headers"] if each[0] != b"authorization"]
        return [*kept, (b"authorization", authorization.encode("latin-1"))]

    async def _forward(self, message: Message) -> None:
        kind = message["type"].removeprefix("websocket.")
        if kind == "accept":
            self.status = SWITCHING
        elif kind == "http.response.start":
            headers = cors.open_to_pages(message.get("headers", ()), self.route)
            self.status = message["status"]
            message = {**message, "headers": headers}
        else:
            self.size += len(message.get("body", b""))
        await self.deliver(message)

    async def _send_start(self, status: int, headers: RawHeaders) -> None:
        self.status = status
        kind = self._kind("http.response.start")
        await self.deliver({"type": kind, "status": status, "headers": headers})

    async def _say(self, status: int, document: Mapping[str, Any]) -> None:
        body = json.dumps({k: v for k, v in document.items() if v is not None}).encode()
        headers = [
            (b"content-type", b"application/json; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
        ]
        await self._send_start(status, cors.open_to_pages(headers, self.route))
        self.size = len(body)
        await self.deliver({"type": self._kind("http.response.body"), "body": body})

    def _kind(self, name: str) -> str:
        """A handshake is refused by an answer of HTTP, under a name of its own."""
        return f"websocket.{name}" if self.is_socket else name


def _take_key(query: bytes) -> tuple[str | None, bytes]:
    """The key sent as a parameter, and the query without it: services take it for a filter."""
    parameters = query.split(b"&")
    kept = [each for each in parameters if not each.startswith(b"apikey=")]
    found = next((each for each in parameters if each.startswith(b"apikey=")), b"")
    return found.partition(b"=")[2].decode("latin-1") or None, b"&".join(kept)


def _keep_root_private(route: Route, path: str, admission: Admission) -> None:
    if route.root_is_private and path == "/" and admission.role != "service_role":
        raise Refused(
            403,
            "Access to the description of the API is forbidden",
            "Only a secret API key may read it.",
        )
