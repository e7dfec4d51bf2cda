"""Many at once: a thousand connections come and go, and whoever stays notices nothing."""

from __future__ import annotations

import gc
import json
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from nlctl.local import connections
from nlctl.local.connections import Connection
from nlctl.local.realtime.channel import Channel
from nlctl.local.realtime.socket import Socket
from tests.local.realtime.serving import PATIENCE_SECONDS, token

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.local.realtime.serving import Running, Wire

CROWD = 1000
ABRUPTLY = struct.pack("ii", 1, 0)  # SO_LINGER: no goodbye, not even TCP's


@pytest.fixture(autouse=True, scope="module")
def _room_for_a_crowd() -> None:
    connections.allow_many()


def knock(realtime: Running, name: str) -> socket.socket:
    """A bare connection that joins a channel and shows itself there."""
    host, _, port = realtime.url.removeprefix("http://").partition(":")
    made = socket.create_connection((host, int(port)), PATIENCE_SECONDS)
    made.sendall(
        f"GET /websocket?apikey={token()} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    made.sendall(frame({"topic": f"realtime:{name}", "event": "phx_join", "payload": {}}))
    shown = {"event": "track", "payload": {"name": "somebody in the crowd"}}
    made.sendall(frame({"topic": f"realtime:{name}", "event": "presence", "payload": shown}))
    return made


def frame(document: dict[str, Any]) -> bytes:
    """A text frame as clients send them, masked with zeros."""
    payload = json.dumps(document).encode()
    if len(payload) < 126:
        return struct.pack("!BB", 0x81, 0x80 | len(payload)) + bytes(4) + payload
    return struct.pack("!BBH", 0x81, 0xFE, len(payload)) + bytes(4) + payload


def survivors() -> int:
    """How many of the service's objects for clients are still in memory."""
    gc.collect()
    return sum(isinstance(each, Socket | Channel | Connection) for each in gc.get_objects())


def wait_until(is_so: Callable[[], bool]) -> None:
    """Return once it is so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def wait_for(realtime: Running, count: int) -> None:
    """Return once so many are connected."""
    wait_until(lambda: realtime.service.hub.connections == count)


@pytest.fixture
def witness(realtime: Running, topic: str) -> Iterator[Wire]:
    """Somebody who stays, and hears himself."""
    wire = realtime.socket().joined(topic, broadcast={"self": True})
    wait_for(realtime, 1)
    yield wire
    wire.connection.close()
    wait_for(realtime, 0)


def test_a_thousand_connections_that_were_dropped_leave_nothing(
    realtime: Running, witness: Wire, topic: str
) -> None:
    before = survivors()

    crowd = [knock(realtime, f"crowd {number % 10}") for number in range(CROWD)]
    wait_for(realtime, CROWD + 1)
    for each in crowd:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABRUPTLY)
        each.close()
    wait_for(realtime, 1)

    wait_until(lambda: survivors() <= before)
    assert realtime.service.hub.room("crowd 0", is_private=False) is None
    witness.broadcast(topic, "still here", {})
    assert witness.next("broadcast").payload["event"] == "still here"


def test_half_a_handshake_disturbs_nobody(realtime: Running, witness: Wire, topic: str) -> None:
    host, _, port = realtime.url.removeprefix("http://").partition(":")
    halves = [socket.create_connection((host, int(port))) for _ in range(100)]
    for each in halves:
        each.sendall(b"GET /websocket HTTP/1.1\r\nUpgrade: webso")

    witness.broadcast(topic, "still here", {})

    assert witness.next("broadcast").payload["event"] == "still here"
    for each in halves:
        each.close()


def test_everybody_speaking_at_once_is_heard_by_everybody_once(
    realtime: Running, topic: str
) -> None:
    everybody = [realtime.socket().joined(topic) for _ in range(20)]

    def speak(wire: Wire, name: str) -> None:
        for number in range(10):
            wire.broadcast(topic, f"{name} {number}", {})

    threads = [
        threading.Thread(target=speak, args=(wire, str(number)))
        for number, wire in enumerate(everybody)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for number, wire in enumerate(everybody):
        heard = [wire.next("broadcast").payload["event"].split() for _ in range(190)]
        by_speaker: dict[str, list[Any]] = {}
        for speaker, place in heard:
            by_speaker.setdefault(speaker, []).append(int(place))
        assert str(number) not in by_speaker
        assert all(said == list(range(10)) for said in by_speaker.values())
