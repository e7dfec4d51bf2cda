"""Broadcasts over HTTP: many at once, or one whose topic and event are in the path."""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from starlette.responses import JSONResponse, Response

from nlctl.local.realtime import credentials, documents
from nlctl.local.realtime.authorization import BROADCAST, Visitor
from nlctl.local.realtime.contract import Message
from nlctl.local.realtime.credentials import TokenRefused
from nlctl.local.realtime.documents import NotJson
from nlctl.local.realtime.permissions import UNREACHABLE
from nlctl.local.realtime.serializers import PREFIX

if TYPE_CHECKING:
    from starlette.requests import Request

    from nlctl.local.realtime.credentials import Credentials
    from nlctl.local.realtime.service import Service

BLANK = "can't be blank"
INVALID = "is invalid"
TOO_LARGE = "Payload size exceeds tenant limit"
JSON = "application/json"
BYTES = "application/octet-stream"

Faults = dict[str, list[str]]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Entry:
    """One message of a batch."""

    topic: str
    event: str
    is_private: bool
    document: bytes


class Api:
    """The endpoints of one service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._limits = service.config.limits

    async def broadcast_many(self, request: Request) -> Response:
        """POST /api/broadcast: 202 for what is well formed, whoever hears it."""
        caller = self._caller(request)
        if caller is None:
            return _unauthorized()
        try:
            given = documents.read(await request.body())
        except NotJson:
            return _say(400, "The body is not JSON")
        faults = self._faults(given)
        if faults:
            return JSONResponse({"errors": {"messages": faults}}, 422)
        entries = [_entry(each) for each in given["messages"]]
        if not self._service.messages.take(len(entries)):
            return _say(429, "Too many messages to broadcast, please reduce the batch size")
        await self._send_all(request, caller, entries)
        return Response(status_code=202)

    async def broadcast_one(self, request: Request) -> Response:
        """POST /api/broadcast/{topic}/events/{event}: JSON or bytes, for a topic or nobody."""
        kind = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
        if kind not in {JSON, BYTES}:
            return JSONResponse(
                {"error": f"Unsupported Media Type. Use {JSON} or {BYTES}"}, status_code=415
            )
        caller = self._caller(request)
        if caller is None:
            return _unauthorized()
        body = await request.body()
        try:
            payload = body if kind == BYTES else _whole_document(body)
        except NotJson:
            return _say(400, "The body is not JSON")
        if len(payload) > self._limits.payload_bytes:
            return JSONResponse({"errors": {"payload": [TOO_LARGE]}}, 422)
        if not self._service.messages.take():
            return _say(429, "You have exceeded your rate limit")
        message = Message(
            request.path_params["topic"],
            request.path_params["event"],
            payload,
            is_private=request.query_params.get("private") == "true",
            is_json=kind == JSON,
        )
        return await self._send_one(request, caller, message)

    async def _send_one(self, request: Request, caller: Credentials, message: Message) -> Response:
        if message.is_private:
            try:
                allowed = await self._may_write(request, caller, message.topic)
            except UNREACHABLE as error:
                log.warning("UnableToConnectToProject: %s", error)
                return _say(422, "Tenant database unavailable")
            except psycopg.Error as error:
                log.warning("RlsPolicyError: %s", error)
                return _say(422, "RLS policy error")
            if not allowed:
                return _say(403, "Unauthorized")
        self._service.hub.publish(message)
        return Response(status_code=202)

    async def _send_all(self, request: Request, caller: Credentials, entries: list[_Entry]) -> None:
        """What may not be said on a private topic is passed over in silence."""
        by_topic: dict[tuple[str, bool], list[_Entry]] = defaultdict(list)
        for entry in entries:
            by_topic[entry.topic, entry.is_private].append(entry)
        for (topic, is_private), same in by_topic.items():
            if is_private and not await self._may_write_quietly(request, caller, topic):
                continue
            for entry in same:
                self._send(entry)

    def _send(self, entry: _Entry) -> None:
        room = self._service.hub.room(entry.topic, is_private=entry.is_private)
        if room:
            topic = PREFIX + entry.topic
            room.broadcast(lambda serializer: serializer.push(topic, BROADCAST, entry.document))

    async def _may_write_quietly(self, request: Request, caller: Credentials, topic: str) -> bool:
        try:
            return await self._may_write(request, caller, topic)
        except (psycopg.Error, *UNREACHABLE) as error:
            log.warning("RlsPolicyError: %s", error)
            return False

    async def _may_write(self, request: Request, caller: Credentials, topic: str) -> bool:
        visitor = Visitor(topic, caller, dict(request.headers))
        return await self._service.authorizer.may_write(visitor, BROADCAST)

    def _caller(self, request: Request) -> Credentials | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not scheme:
            token = request.headers.get("apikey", "")
        elif scheme.lower() != "bearer":
            return None
        try:
            return credentials.read(self._service.keyring, token)
        except TokenRefused as refusal:
            log.info("%s", refusal)
            return None

    def _faults(self, given: object) -> list[str] | list[Faults]:
        """What is wrong: with the list, or with its entries, each in its place."""
        entries = given.get("messages") if isinstance(given, dict) else None
        if entries is None or entries == []:
            return [BLANK]
        if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
            return [INVALID]
        faults = [self._faults_of(each) for each in entries]
        return faults if any(faults) else []

    def _faults_of(self, entry: dict[str, Any]) -> Faults:
        faults: Faults = {}
        for name, kind in (("topic", str), ("event", str), ("payload", dict)):
            value = entry.get(name)
            if value is None or value == "":
                faults[name] = [BLANK]
            elif not isinstance(value, kind) or not _is_writable(value):
                faults[name] = [INVALID]
        if not isinstance(entry.get("private", False), bool | None):
            faults["private"] = [INVALID]
        if not faults and len(documents.write(entry["payload"])) > self._limits.payload_bytes:
            faults["payload"] = [TOO_LARGE]
        return faults


async def refuse(_request: Request) -> Response:
    """What belongs to whoever runs the platform."""
    return _say(403, "Forbidden")


def _entry(given: dict[str, Any]) -> _Entry:
    said = {"payload": given["payload"], "event": given["event"], "type": "broadcast"}
    if isinstance(given.get("id"), str):
        said["meta"] = {"id": given["id"]}
    is_private = bool(given.get("private"))
    return _Entry(given["topic"], given["event"], is_private, documents.write(said))


def _is_writable(value: object) -> bool:
    """Half a surrogate pair and 1e400 can be read, and not be said again."""
    try:
        if isinstance(value, str):
            value.encode()
        documents.write(value)
    except ValueError:
        return False
    return True


def _whole_document(body: bytes) -> bytes:
    """The payload of a body; the service keeps what is no object under a name of its own."""
    value = documents.read(body) if body else {}
    return documents.write(value if isinstance(value, dict) else {"_json": value})


def _unauthorized() -> Response:
    return _say(401, "Unauthorized")


def _say(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status)
