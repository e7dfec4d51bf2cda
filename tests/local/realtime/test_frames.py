"""What goes over the wire, looked at by somebody else's reader."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from nlctl.local.realtime import documents, frames, serializers
from nlctl.local.realtime.contract import Message
from nlctl.local.realtime.hub import Room
from nlctl.local.realtime.serializers import ARRAYS, OBJECTS, Malformed
from tests.local.realtime.serving import decode

if TYPE_CHECKING:
    from nlctl.local.realtime.serializers import Serializer

TEXTS = some.text(max_size=40)
VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | TEXTS,
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=10,
)


def read(frame: bytes) -> Frame:
    """A frame as `websockets` reads it on the client's side."""
    stream = StreamReader()
    stream.feed_data(frame)
    reading = Frame.parse(stream.read_exact, mask=False, max_size=None)
    try:
        next(reading)
    except StopIteration as whole:
        assert not list(stream.buffer)
        found: Frame = whole.value
        return found
    raise AssertionError("the frame is not whole")


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 1_000_000])
def test_frames_of_every_length_are_whole(size: int) -> None:
    assert read(frames.text(b"x" * size)) == Frame(Opcode.TEXT, b"x" * size)
    assert read(frames.binary(b"x" * size)) == Frame(Opcode.BINARY, b"x" * size)


@given(value=VALUES)
def test_what_was_read_is_written_as_the_same_value(value: Any) -> None:
    text = json.dumps(value)
    if "Infinity" in text:
        return

    assert json.loads(documents.write(documents.read(text))) == value


@given(topic=TEXTS, event=TEXTS, payload=some.dictionaries(TEXTS, VALUES, max_size=3))
@pytest.mark.parametrize("serializer", [OBJECTS, ARRAYS])
def test_an_event_is_read_as_it_was_pushed(
    serializer: Serializer, topic: str, event: str, payload: dict[str, Any]
) -> None:
    if "Infinity" in json.dumps(payload):
        return
    frame = read(serializer.push(topic, event, documents.write(payload), ref="1"))

    pushed = decode(bytes(frame.data).decode())

    assert (pushed.topic, pushed.event, pushed.payload) == (topic, event, payload)


@given(topic=TEXTS, event=TEXTS, payload=some.binary(max_size=300), number=some.uuids())
def test_a_broadcast_of_bytes_is_read_as_it_was_sent(
    topic: str, event: str, payload: bytes, number: Any
) -> None:
    message = Message(topic, event, payload, is_private=True, is_json=False, id=str(number))
    frame = ARRAYS.broadcast(message)
    assert frame is not None

    pushed = decode(bytes(read(frame).data))

    assert pushed.topic == f"realtime:{topic}"
    assert pushed.payload["payload"] == payload
    assert pushed.payload["meta"] == {"id": str(number)}
    assert OBJECTS.broadcast(message) is None


@given(said=some.binary(max_size=60) | TEXTS)
@pytest.mark.parametrize("serializer", [OBJECTS, ARRAYS])
def test_whatever_is_said_is_understood_or_malformed(
    serializer: Serializer, said: bytes | str
) -> None:
    with contextlib.suppress(Malformed):
        serializer.read(said)


@pytest.mark.parametrize(
    ("version", "chosen"),
    [("1.0.0", OBJECTS), ("1.0.7", OBJECTS), ("2.0.0", ARRAYS), ("3.0.0", None), ("", None)],
)
def test_a_version_has_its_serializer(version: str, chosen: Serializer | None) -> None:
    assert serializers.choose(version) is chosen


class Ear:
    """A member of a room who hears everything."""

    hears_broadcasts = True

    def __init__(self, serializer: Serializer) -> None:
        self.socket = self
        self.serializer = serializer
        self.heard: list[bytes] = []

    def hear(self, frame: bytes, _message_id: str | None) -> None:
        """Keep what comes."""
        self.heard.append(frame)


def test_a_frame_is_made_once_for_all_who_speak_the_same() -> None:
    room, made = Room(), list[Any]()
    ears = [Ear(serializer) for serializer in (OBJECTS, ARRAYS) for _ in range(100)]
    room.members.update(ears)  # type: ignore[arg-type]

    def write(serializer: Serializer) -> bytes:
        made.append(serializer)
        return b"frame"

    room.broadcast(write)

    assert sorted(made, key=id) == sorted([OBJECTS, ARRAYS], key=id)
    assert all(ear.heard == [b"frame"] for ear in ears)
