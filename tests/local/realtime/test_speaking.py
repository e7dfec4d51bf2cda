"""Broadcasts from one socket to others, in both versions and both kinds of frames."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from nlctl.local.realtime.contract import Message
from tests.local.realtime.serving import ARRAYS, OBJECTS, PATIENCE_SECONDS, token

if TYPE_CHECKING:
    from tests.local.realtime.conftest import Serve
    from tests.local.realtime.serving import Push, Running, Wire

ECHO = {"broadcast": {"self": True}}
ACKNOWLEDGED = {"broadcast": {"ack": True}}
SAID = {"type": "broadcast", "event": "said", "payload": {"a": "é 🙂", "n": 1814.7000000029802}}


def speak(wire: Wire, name: str) -> Push:
    """Say SAID on a channel that acknowledges; the reply."""
    return wire.ask(f"realtime:{name}", "broadcast", SAID)


@pytest.mark.parametrize("listens", [OBJECTS, ARRAYS])
def test_what_is_said_is_heard_by_the_others(
    realtime: Running, topic: str, version: str, listens: str
) -> None:
    speaker = realtime.socket(version=version).joined(topic)
    listener = realtime.socket(version=listens).joined(topic)

    speaker.broadcast(topic, "said", SAID["payload"])

    heard = listener.next("broadcast")
    assert (heard.payload, heard.ref, heard.join_ref) == (SAID, None, None)
    assert speaker.heard() == []


def test_whoever_wants_to_hears_himself(realtime: Running, topic: str, version: str) -> None:
    speaker = realtime.socket(version=version).joined(topic, **ECHO)

    speaker.broadcast(topic, "said", SAID["payload"])

    assert speaker.next("broadcast").payload == SAID


def test_an_acknowledged_broadcast_is_answered(realtime: Running, topic: str, version: str) -> None:
    speaker = realtime.socket(version=version).joined(topic, **ACKNOWLEDGED)

    assert speak(speaker, topic).payload == {"status": "ok", "response": {}}


# Trap 45: supabase-js speaks version 2.0.0 and sends every broadcast as a binary frame.
def test_a_binary_broadcast_is_heard_in_both_versions(realtime: Running, topic: str) -> None:
    speaker = realtime.socket(version=ARRAYS).joined(topic, **ACKNOWLEDGED)
    old = realtime.socket(version=OBJECTS).joined(topic)
    new = realtime.socket(version=ARRAYS).joined(topic)

    reference = speaker.broadcast_binary(topic, "said", b'{"a": [1, 2]}', json=True)

    expected = {"type": "broadcast", "event": "said", "payload": {"a": [1, 2]}}
    heard = old.next("broadcast"), new.next("broadcast")
    assert [push.payload for push in heard] == [expected, expected]
    assert [push.is_binary for push in heard] == [False, True]
    reply = speaker.next("phx_reply")
    assert (reply.ref, reply.payload["status"]) == (reference, "ok")


def test_bytes_are_heard_by_those_who_can(realtime: Running, topic: str) -> None:
    speaker = realtime.socket(version=ARRAYS).joined(topic)
    old = realtime.socket(version=OBJECTS).joined(topic)
    new = realtime.socket(version=ARRAYS).joined(topic)

    speaker.broadcast_binary(topic, "said", b"\x00\xff", json=False)

    assert new.next("broadcast").payload["payload"] == b"\x00\xff"
    assert old.heard() == []


@pytest.mark.parametrize("payload", [b"not json", b'"\xed\xa0\x80"', b"NaN", b""])
def test_what_claims_to_be_json_and_is_not_reaches_nobody(
    realtime: Running, topic: str, payload: bytes
) -> None:
    speaker = realtime.socket(version=ARRAYS).joined(topic)
    listener = realtime.socket().joined(topic)

    speaker.broadcast_binary(topic, "said", payload, json=True)

    speaker.heard()
    assert listener.heard() == []


@pytest.mark.parametrize("payload", [None, 7, "all", [], {"n": 1e400}])
def test_a_broadcast_of_another_kind_reaches_nobody(
    realtime: Running, topic: str, payload: Any
) -> None:
    speaker, listener = realtime.socket().joined(topic), realtime.socket().joined(topic)

    speaker.say(f"realtime:{topic}", "broadcast", payload)

    speaker.heard()
    assert listener.heard() == []


def test_half_a_surrogate_pair_arrives_as_it_was_written(
    realtime: Running, topic: str, version: str
) -> None:
    speaker = realtime.socket(version=version).joined(topic)
    listener = realtime.socket(version=version).joined(topic)

    speaker.broadcast(topic, "said", "\ud800")

    assert listener.next("broadcast").payload["payload"] == "\ud800"


def test_names_too_long_for_a_binary_frame_go_as_text(realtime: Running) -> None:
    name = "é" * 200
    speaker = realtime.socket(version=OBJECTS).joined(name)
    listener = realtime.socket(version=ARRAYS).joined(name)

    realtime.http.post(f"/api/broadcast/{name}/events/said", json={}, headers=bearer())
    heard = listener.next("broadcast")
    assert (heard.payload["event"], heard.is_binary) == ("said", False)
    assert speaker.next("broadcast").payload == heard.payload


def test_a_public_and_a_private_channel_of_one_name_are_two(realtime: Running, topic: str) -> None:
    public = realtime.socket().joined(f"both:{topic}", **ACKNOWLEDGED)
    private = realtime.socket().joined(f"both:{topic}", private=True, **ACKNOWLEDGED)

    speak(private, f"both:{topic}")
    speak(public, f"both:{topic}")

    assert public.heard() == []
    assert private.heard() == []


def test_members_of_a_private_channel_hear_each_other(
    realtime: Running, topic: str, version: str
) -> None:
    ada = realtime.socket(version=version).joined(f"both:{topic}", private=True, **ACKNOWLEDGED)
    ben = realtime.socket(version=version).joined(f"both:{topic}", private=True)

    assert speak(ada, f"both:{topic}").payload["status"] == "ok"
    assert ben.next("broadcast").payload == SAID


def test_whoever_may_only_read_is_not_heard_and_not_told(realtime: Running, topic: str) -> None:
    reader = realtime.socket().joined(f"read:{topic}", private=True, **ACKNOWLEDGED)
    server = realtime.socket(token("service_role")).joined(f"read:{topic}", private=True)

    reader.broadcast(f"read:{topic}", "said", {})

    assert reader.heard() == []
    assert server.heard() == []
    server.broadcast(f"read:{topic}", "said", {})
    assert reader.next("broadcast").payload["event"] == "said"


# Trap 52: whoever may be present need not be allowed to hear.
def test_whoever_may_only_be_present_hears_no_broadcasts(realtime: Running, topic: str) -> None:
    name = f"presence:{topic}"
    present = realtime.socket().joined(name, private=True, presence={"enabled": True})
    server = realtime.socket(token("service_role")).joined(name, private=True)

    server.broadcast(name, "said", {})

    server.heard()
    assert [push.event for push in present.heard()] == ["presence_state"]


def test_writing_is_asked_of_the_policies_once(realtime: Running, rooms: Any, topic: str) -> None:
    wire = realtime.socket().joined(f"both:{topic}", private=True, **ACKNOWLEDGED)
    speak(wire, f"both:{topic}")

    rooms.run("alter policy messages_insert_allowed on realtime.messages with check (false)")
    try:
        assert speak(wire, f"both:{topic}").payload["status"] == "ok"
    finally:
        rooms.run(
            "alter policy messages_insert_allowed on realtime.messages"
            " with check (public.allows(extension, true))"
        )


def test_too_large_a_payload_is_refused_where_an_answer_is_asked_for(
    serve: Serve, topic: str, version: str
) -> None:
    running = serve(payload_bytes=100)
    listener = running.socket().joined(topic)
    speaker = running.socket(version=version).joined(topic, **ACKNOWLEDGED)
    quiet = running.socket(version=version).joined(topic)
    large = {**SAID, "payload": "x" * 100}

    reply = speaker.ask(f"realtime:{topic}", "broadcast", large)
    quiet.say(f"realtime:{topic}", "broadcast", large)

    assert reply.payload == {"status": "error", "response": "payload_size_exceeded"}
    assert quiet.heard() == []
    assert listener.heard() == []


def test_too_large_a_binary_payload_is_refused_as_well(serve: Serve, topic: str) -> None:
    speaker = serve(payload_bytes=100).socket(version=ARRAYS).joined(topic, **ACKNOWLEDGED)

    speaker.broadcast_binary(topic, "said", b"x" * 101, json=False)

    assert speaker.next("phx_reply").payload["response"] == "payload_size_exceeded"


def test_too_many_messages_close_the_channel(serve: Serve, topic: str, version: str) -> None:
    speaker = serve(messages_per_second=0.2).socket(version=version).joined(topic)

    for _ in range(3):
        speaker.broadcast(topic, "said", {})

    assert speaker.next("system", topic).payload == {
        "extension": "system",
        "status": "error",
        "message": "Too many messages per second",
        "channel": topic,
    }
    speaker.next("phx_close", topic)


def test_a_slow_listener_is_dropped_and_slows_nobody(serve: Serve, topic: str) -> None:
    running = serve(backlog_bytes=1_000_000)
    slow = running.socket().joined(topic)  # and reads no more
    quick = running.socket().joined(topic)
    speaker = running.socket().joined(topic, **ACKNOWLEDGED)

    said = 0
    while slow_is_there(running):
        reply = speaker.ask(
            f"realtime:{topic}",
            "broadcast",
            {"type": "broadcast", "event": str(said), "payload": "x" * 100_000},
        )
        assert reply.payload["status"] == "ok"
        assert quick.next("broadcast").payload["event"] == str(said)
        said += 1

    assert slow.wait_until_closed() == 1006


def test_a_listener_that_neither_reads_nor_speaks_is_dropped(serve: Serve, topic: str) -> None:
    running = serve(idle_seconds=2, backlog_bytes=1 << 30)
    dead = running.socket().joined(topic)
    speaker = running.socket().joined(topic, **ACKNOWLEDGED)
    large = {"type": "broadcast", "event": "said", "payload": "x" * 500_000}

    while running.service.hub.connections == 2:
        assert speaker.ask(f"realtime:{topic}", "broadcast", large).payload["status"] == "ok"

    assert dead.wait_until_closed() == 1006


def slow_is_there(running: Running) -> bool:
    """Whether nobody has been dropped of the three who were connected."""
    return running.service.hub.connections == 3


def test_what_was_missed_is_told_after_the_join(
    realtime: Running, topic: str, version: str
) -> None:
    name = f"both:{topic}"
    realtime.source.kept = [
        Message(name, "json", b'{"a": 1}', True, id="1", is_replayed=True),
        Message(name, "bytes", b"\x00", True, is_json=False, id="2", is_replayed=True),
    ]
    wire = realtime.socket(version=version)

    wire.joined(name, private=True, broadcast={"replay": {"since": 12, "limit": 99}})

    assert realtime.source.asked[-1] == (name, 12, 25)
    heard = wire.heard()
    assert heard[0].payload == {
        "type": "broadcast",
        "event": "json",
        "payload": {"a": 1},
        "meta": {"replayed": True, "id": "1"},
    }
    assert [push.payload["event"] for push in heard[1:]] == ["bytes"] * (version == ARRAYS)


def test_what_is_said_during_the_replay_comes_after_it_and_once(
    realtime: Running, topic: str
) -> None:
    name = f"both:{topic}"
    old, new = (
        Message(name, event, b"{}", True, id=event, is_replayed=event == "old")
        for event in ("old", "new")
    )
    realtime.source.kept = [old]

    def meanwhile() -> None:
        for message in (new, old):
            realtime.service.hub.publish(message)

    realtime.source.meanwhile = meanwhile
    try:
        wire = realtime.socket().joined(name, private=True, broadcast={"replay": {"since": 1}})
    finally:
        realtime.source.meanwhile = lambda: None

    assert [push.payload["event"] for push in wire.heard()] == ["old", "new"]


@pytest.mark.parametrize(
    ("private", "replay", "reason"),
    [
        (False, {"since": 1}, "Replay is not allowed for public channels"),
        (True, {}, "Replay params are not valid"),
        (True, {"since": "yesterday"}, "Replay params are not valid"),
        (True, {"since": 1 << 80}, "Replay params are not valid"),
        (True, {"since": 1, "limit": "all"}, "Replay params are not valid"),
        (True, 7, "Replay params are not valid"),
    ],
)
def test_a_replay_that_cannot_be_is_refused(
    realtime: Running, topic: str, private: bool, replay: Any, reason: str
) -> None:
    wire = realtime.socket()

    reply = wire.join(f"both:{topic}", private=private, broadcast={"replay": replay})

    assert reply.reason == f"UnableToReplayMessages: {reason}"


def bearer() -> dict[str, str]:
    """The header of anybody."""
    return {"Authorization": f"Bearer {token()}"}


def test_the_frames_of_many_sizes_are_read_by_any_client(realtime: Running, topic: str) -> None:
    speaker, listener = realtime.socket().joined(topic), realtime.socket().joined(topic)

    for size in (0, 1, 30, 31, 32, 125, 126, 65_000, 65_535, 65_536, 70_000):
        speaker.broadcast(topic, "said", "x" * size)
        heard = json.loads(listener.connection.recv(PATIENCE_SECONDS))
        assert heard["payload"]["payload"] == "x" * size
