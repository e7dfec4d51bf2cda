"""A Realtime service to talk to, and sockets that speak either version of its protocol."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx
import uvicorn
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from nlctl.local import realtime
from nlctl.local.connections import Connection
from nlctl.local.realtime import RealtimeConfig
from tests.local.test_tokens import RING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from websockets.sync.connection import Connection as ClientConnection

    from nlctl.local.realtime.contract import Hub, Listener, Message
    from nlctl.local.realtime.service import Service

PATIENCE_SECONDS = 60
FAR = 4_000_000_000
OBJECTS = "1.0.0"
ARRAYS = "2.0.0"


def token(role: str = "authenticated", **claims: object) -> str:
    """The token of somebody; without `exp`, it holds for a long time."""
    return RING.sign({"role": role, "exp": FAR, **claims})


@dataclass
class Archivist:
    """The database's side, played: what is replayed is set, and what is asked is noted."""

    hub: Hub
    kept: list[Message] = field(default_factory=list)
    asked: list[tuple[str, int, int]] = field(default_factory=list)
    listeners: list[Listener] = field(default_factory=list)
    renewed: list[Listener] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    async def open(self) -> None:
        """Nothing to connect to."""

    async def close(self) -> None:
        """Nothing to hang up."""

    async def wait_until_live(self) -> None:
        """Always live."""

    async def replay(self, topic: str, since: int, limit: int) -> Sequence[Message]:
        """What was set; `meanwhile` happens while it is being read."""
        self.asked.append((topic, since, limit))
        self.meanwhile()
        return self.kept

    def subscribe(self, listener: Listener) -> None:
        """Note who wants to hear."""
        self.listeners.append(listener)
        listener.tell("ok", "Subscribed to PostgreSQL")

    def renew(self, listener: Listener) -> None:
        """Note who has a new token."""
        self.renewed.append(listener)

    def unsubscribe(self, listener: Listener) -> None:
        """Note who is gone."""
        if listener in self.listeners:
            self.listeners.remove(listener)


@dataclass(frozen=True)
class Push:
    """One message of the server."""

    topic: str
    event: str
    payload: Any
    ref: Any = None
    join_ref: Any = None
    meta: Any = None
    is_binary: bool = False

    @property
    def reason(self) -> str:
        """Why a reply is an error."""
        assert self.payload["status"] == "error", self.payload
        return str(self.payload["response"]["reason"])


class Wire:
    """A client that sees what goes over the wire."""

    def __init__(self, connection: ClientConnection, version: str) -> None:
        self.connection = connection
        self.version = version
        self._references = count(1)
        self._unread: list[Push] = []

    def join(self, name: str, *, access_token: str | None = None, **config: Any) -> Push:
        """Join a channel; the reply, whatever it says."""
        given: dict[str, Any] = {"config": config}
        if access_token is not None:
            given["access_token"] = access_token
        return self.ask(f"realtime:{name}", "phx_join", given)

    def joined(self, name: str, **config: Any) -> Wire:
        """The same, where it must succeed."""
        reply = self.join(name, **config)
        assert reply.payload["status"] == "ok", reply.payload
        return self

    def ask(self, topic: str, event: str, payload: Any) -> Push:
        """Say something and wait for its reply."""
        reference = self.say(topic, event, payload)
        return self.find(lambda push: push.event == "phx_reply" and push.ref == reference)

    def say(self, topic: str, event: str, payload: Any) -> str:
        """Say something; its reference."""
        reference = str(next(self._references))
        document: Any = [reference, reference, topic, event, payload]
        if self.version == OBJECTS:
            names = ("join_ref", "ref", "topic", "event", "payload")
            document = dict(zip(names, document, strict=True))
        self.connection.send(json.dumps(document))
        return reference

    def broadcast(self, name: str, event: str, payload: Any) -> str:
        """Say a broadcast as text."""
        said = {"type": "broadcast", "event": event, "payload": payload}
        return self.say(f"realtime:{name}", "broadcast", said)

    def broadcast_binary(self, name: str, event: str, payload: bytes, *, json: bool) -> str:
        """Say a broadcast as a binary frame of version 2.0.0."""
        reference = str(next(self._references))
        parts = [part.encode() for part in ("", reference, f"realtime:{name}", event, "")]
        head = bytes([3, *map(len, parts), json])
        self.connection.send(head + b"".join(parts) + payload)
        return reference

    def track(self, name: str, payload: Any) -> Push:
        """Be present; the reply."""
        said = {"type": "presence", "event": "track", "payload": payload}
        return self.ask(f"realtime:{name}", "presence", said)

    def next(self, event: str, name: str | None = None) -> Push:
        """The next message of this event, on this channel if one is named."""
        topic = None if name is None else f"realtime:{name}"
        return self.find(lambda push: push.event == event and topic in (None, push.topic))

    def find(self, fits: Callable[[Push], bool]) -> Push:
        """The first message that fits; what comes before it is kept for later."""
        for push in self._unread:
            if fits(push):
                self._unread.remove(push)
                return push
        while True:
            push = self._read()
            if fits(push):
                return push
            self._unread.append(push)

    def heard(self) -> list[Push]:
        """Everything that has come until a heartbeat is answered."""
        answer = self.ask("phoenix", "heartbeat", {})
        assert answer.payload == {"status": "ok", "response": {}}
        said, self._unread = self._unread, []
        return said

    def wait_until_closed(self) -> int:
        """The code the server closes with."""
        try:
            while True:
                self.connection.recv(PATIENCE_SECONDS)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006

    def _read(self) -> Push:
        return decode(self.connection.recv(PATIENCE_SECONDS))


def decode(frame: str | bytes) -> Push:
    """A message of the server, in either version."""
    if isinstance(frame, bytes):
        return _decode_binary(frame)
    said = json.loads(frame)
    if isinstance(said, list):
        join_ref, ref, topic, event, payload = said
        return Push(topic, event, payload, ref, join_ref)
    assert set(said) == {"topic", "event", "payload", "ref"}
    return Push(**said)


def _decode_binary(frame: bytes) -> Push:
    kind, *sizes, is_json = frame[:5]
    assert kind == 4
    parts, position = [], 5
    for size in sizes:
        parts.append(frame[position : position + size])
        position += size
    topic, event, meta = parts
    body = frame[position:]
    payload = {
        "type": "broadcast",
        "event": event.decode(),
        "payload": json.loads(body) if is_json else body,
    }
    if meta:
        payload["meta"] = json.loads(meta)
    return Push(topic.decode(), "broadcast", payload, is_binary=True)


@dataclass(frozen=True)
class Running:
    """A Realtime service that answers."""

    url: str
    service: Service
    source: Archivist
    http: httpx.Client
    _sockets: ExitStack

    def socket(self, key: str | None = None, *, version: str = OBJECTS, **headers: str) -> Wire:
        """A connection with this key, until the test ends."""
        parameters = urlencode({"apikey": key or token(), "vsn": version})
        address = f"{self.url.replace('http', 'ws')}/websocket?{parameters}"
        opened = connect(
            address, additional_headers=headers, max_size=None, close_timeout=PATIENCE_SECONDS
        )
        return Wire(self._sockets.enter_context(opened), version)


@contextmanager
def serve(database_url: str, **limits: Any) -> Iterator[Running]:
    """A service for as long as the block."""
    archivists: list[Archivist] = []

    def make_source(_url: str, hub: Hub) -> Archivist:
        archivists.append(Archivist(hub))
        return archivists[0]

    config = RealtimeConfig(database_url, realtime.Limits(**limits))
    app = realtime.create(config, RING, make_source)
    service = app.state.service
    with socket.socket() as listening, ExitStack() as sockets:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        http = sockets.enter_context(httpx.Client(base_url=url, timeout=PATIENCE_SECONDS))
        with run(app, listening):
            try:
                yield Running(url, service, archivists[0], http, sockets)
            finally:
                sockets.close()


@contextmanager
def run(app: Any, listening: socket.socket) -> Iterator[None]:
    """A server for as long as the block, with the websockets of the API process."""
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            ws=Connection,
            ws_per_message_deflate=False,
            ws_ping_interval=None,
            lifespan="on",
            log_config=None,
        )
    )
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not server.started:
            assert thread.is_alive(), "the service did not start"
            assert time.monotonic() < deadline, "the service takes too long to start"
            time.sleep(0.005)
        yield
    finally:
        server.should_exit = True
        thread.join()
