"""Connecting, staying connected, and what is said that nobody understands."""

from __future__ import annotations

import json
import socket
import struct
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.sync.client import connect

from tests.local.realtime.serving import ARRAYS, OBJECTS, token

if TYPE_CHECKING:
    from tests.local.realtime.conftest import Serve
    from tests.local.realtime.serving import Push, Running


def refusal(realtime: Running, **parameters: str) -> tuple[int, str]:
    """Status and error of a handshake that is refused."""
    address = f"{realtime.url.replace('http', 'ws')}/websocket?{urlencode(parameters)}"
    with pytest.raises(InvalidStatus) as refused:
        connect(address)
    response = refused.value.response
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    return response.status_code, json.loads(response.body or b"")["error"]


def test_nobody_connects_without_a_key(realtime: Running) -> None:
    assert refusal(realtime) == (401, "API key is missing")


@pytest.mark.parametrize(
    ("key", "error"),
    [
        ("nonsense", "The token provided is not a valid JWT"),
        (token(exp=1_000_000_000), "Token has expired"),
        (token(exp=None), "Fields `role` and `exp` are required in JWT"),
        (token(None), "Fields `role` and `exp` are required in JWT"),  # type: ignore[arg-type]
        (token()[:-8] + "AAAAAAAA", "Failed to validate JWT signature"),
    ],
)
def test_a_key_that_is_not_believed_is_refused_with_the_reason(
    realtime: Running, key: str, error: str
) -> None:
    assert refusal(realtime, apikey=key) == (401, error)


def test_a_version_that_nobody_speaks_is_refused(realtime: Running) -> None:
    status, _ = refusal(realtime, apikey=token(), vsn="3.0.0")

    assert status == 403


def test_a_full_house_lets_nobody_else_in(serve: Serve) -> None:
    full = serve(connections=1)
    full.socket().heard()

    assert refusal(full, apikey=token()) == (429, "Too many connected users")


def test_the_key_may_come_in_a_header(realtime: Running) -> None:
    address = f"{realtime.url.replace('http', 'ws')}/websocket"

    with connect(address, additional_headers={"x-api-key": token()}) as connection:
        connection.send(json.dumps({"topic": "phoenix", "event": "heartbeat", "payload": {}}))
        assert json.loads(connection.recv(10))["event"] == "phx_reply"


# Trap 46: supabase-py sends no reference, and gets none back.
def test_a_heartbeat_without_a_reference_is_answered_without_one(realtime: Running) -> None:
    wire = realtime.socket(version=OBJECTS)

    wire.connection.send('{"topic": "phoenix", "event": "heartbeat", "payload": {}, "ref": null}')

    assert json.loads(wire.connection.recv(10)) == {
        "topic": "phoenix",
        "event": "phx_reply",
        "payload": {"status": "ok", "response": {}},
        "ref": None,
    }


def test_answers_of_version_2_are_arrays(realtime: Running) -> None:
    wire = realtime.socket(version=ARRAYS)

    wire.connection.send('[null, "7", "phoenix", "heartbeat", {}]')

    answer = [None, "7", "phoenix", "phx_reply", {"status": "ok", "response": {}}]
    assert json.loads(wire.connection.recv(10)) == answer


def test_a_silent_client_is_left(serve: Serve, topic: str) -> None:
    running = serve(idle_seconds=1)
    silent = running.socket().joined(topic)

    assert silent.wait_until_closed() == 1000


def test_a_client_that_vanished_is_no_longer_present(serve: Serve, topic: str) -> None:
    running = serve(idle_seconds=1)
    witness = running.socket().joined(topic, presence={"enabled": True})
    vanished = running.socket().joined(topic, presence={"key": "ada"})
    vanished.track(topic, {"name": "Ada"})

    def has_gone(push: Push) -> bool:
        witness.say("phoenix", "heartbeat", {})
        return push.event == "presence_diff" and "ada" in push.payload["leaves"]

    witness.find(has_gone)


BROKEN: list[str | bytes] = [
    "",
    "nonsense",
    "[]",
    "{}",
    "null",
    "[1,2,3]",
    '["1","1",7,"phx_join",{}]',
    '{"topic": "phoenix"}',
    '["1","1","realtime:\\ud800","phx_join",{}]',
    '["1","1","phoenix","heartbeat",NaN]',
    "[" * 100_000,
    b"",
    b"\x03",
    b"\x07\x00\x00\x00\x00\x00\x00",
    b"\x03\xff\xff\xff\xff\xff\x01",
    b"\x03\x00\x00\x02\x00\x00\x01\xff\xff",
]


@pytest.mark.parametrize("said", BROKEN, ids=range(len(BROKEN)))
def test_what_nobody_understands_is_passed_over(
    realtime: Running, version: str, said: str | bytes
) -> None:
    wire = realtime.socket(version=version)

    wire.connection.send(said)

    assert [push.event for push in wire.heard()] in ([], ["phx_reply"])


CUT_OFF: list[tuple[bytes, int]] = [
    (b"\xff\xff\xff\xff", 1002),  # not a frame
    (Frame(Opcode.TEXT, b"a").serialize(mask=False), 1002),  # clients mask
    (struct.pack("!BBQ", 0x81, 0xFF, 1 << 40) + bytes(4), 1009),  # larger than anything
    (Frame(Opcode.TEXT, b"\xff\xfe").serialize(mask=True), 1007),  # not UTF-8
]


@pytest.mark.parametrize(("sent", "code"), CUT_OFF, ids=range(len(CUT_OFF)))
def test_a_broken_frame_ends_its_own_connection_only(
    realtime: Running, topic: str, sent: bytes, code: int
) -> None:
    witness = realtime.socket().joined(topic, presence={"enabled": True})
    broken = realtime.socket().joined(topic, presence={"key": "ada"})
    broken.track(topic, {"name": "Ada"})

    broken.connection.socket.sendall(sent)

    assert broken.wait_until_closed() == code
    witness.find(lambda push: "ada" in push.payload.get("leaves", {}))


def test_a_client_that_goes_in_the_middle_of_a_frame_harms_nobody(
    realtime: Running, topic: str
) -> None:
    witness = realtime.socket().joined(topic, presence={"enabled": True})
    going = realtime.socket().joined(topic, presence={"key": "ada"})
    going.track(topic, {"name": "Ada"})

    going.connection.socket.sendall(Frame(Opcode.TEXT, b"never whole").serialize(mask=True)[:-3])
    going.connection.socket.shutdown(socket.SHUT_RDWR)

    witness.find(lambda push: "ada" in push.payload.get("leaves", {}))
    assert witness.heard() is not None


def test_no_token_is_written_to_the_log(realtime: Running, caplog: Any) -> None:
    key = token(sub="ada")

    with caplog.at_level("DEBUG", logger="nlctl"):
        realtime.socket(key).joined("room", access_token=key)
        refusal(realtime, apikey=key + "x")

    assert key not in caplog.text
