"""The door: a websocket's handshake, and the refusals that answer it over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from nlctl.local import connections
from nlctl.local.realtime import credentials, documents, serializers
from nlctl.local.realtime.credentials import TokenRefused
from nlctl.local.realtime.socket import Socket

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from nlctl.local.realtime.serializers import Serializer
    from nlctl.local.realtime.service import Service

OLDEST_VERSION = "1.0.0"
KEY_HEADER = "x-api-key"


class _Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Door:
    """The ASGI application of /websocket."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a client in and serve it to its end, or say why not."""
        await receive()  # websocket.connect
        try:
            socket = self._admit(scope)
        except _Refused as refusal:
            await _refuse(refusal, send)
            return
        await send({"type": "websocket.accept"})
        await socket.serve(receive, send)

    def _admit(self, scope: Scope) -> Socket:
        parameters = parse_qs(scope["query_string"].decode("latin-1"))
        headers = _extra_headers(scope)
        token = headers.pop(KEY_HEADER, None) or _last(parameters, "apikey")
        if not token:
            raise _Refused(401, "API key is missing")
        try:
            credentials.read(self._service.keyring, token)
        except TokenRefused as refusal:
            expired = refusal.message.startswith("Token has expired")
            raise _Refused(401, "Token has expired" if expired else refusal.message) from refusal
        if self._service.hub.connections >= self._service.config.limits.connections:
            raise _Refused(429, "Too many connected users")
        serializer = _choose_serializer(_last(parameters, "vsn") or OLDEST_VERSION)
        return Socket(self._service, connections.find(scope), serializer, token, headers)


def _choose_serializer(version: str) -> Serializer:
    serializer = serializers.choose(version)
    if serializer is None:
        raise _Refused(403, f"Version {version} of the protocol is not spoken here")
    return serializer


def _extra_headers(scope: Scope) -> dict[str, str]:
    """The x- headers, which policies may read."""
    return {
        name.decode("latin-1"): value.decode("latin-1")
        for name, value in scope["headers"]
        if name.startswith(b"x-")
    }


def _last(parameters: dict[str, list[str]], name: str) -> str | None:
    return parameters.get(name, [None])[-1]


async def _refuse(refusal: _Refused, send: Send) -> None:
    body = documents.write({"error": refusal.message})
    headers = [(b"content-type", b"application/json; charset=utf-8")]
    await send({
        "type": "websocket.http.response.start", "status": refusal.status, "headers": headers,
    })  # fmt: skip
    await send({"type": "websocket.http.response.body", "body": body})
