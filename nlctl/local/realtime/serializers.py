"""The two ways a socket may speak: objects (version 1.0.0), or arrays and bytes (2.0.0)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from nlctl.local.realtime import documents, frames

if TYPE_CHECKING:
    from nlctl.local.realtime.contract import Message

PREFIX = "realtime:"
BROADCAST = "broadcast"

_FROM_CLIENT = 3
_TO_CLIENT = 4
_LONGEST = 255  # one byte says how long a part of a binary frame is


class Malformed(Exception):
    """A frame that says nothing; the socket goes on without it."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A client's broadcast in a binary frame: its event, and bytes that nobody has looked into."""

    event: str
    payload: bytes
    is_json: bool


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message of a client. References are echoed as they came."""

    topic: str
    event: str
    payload: Any
    ref: Any = None
    join_ref: Any = None


class Serializer(Protocol):
    """How one version of the protocol writes what goes out, as whole frames."""

    def read(self, data: str | bytes) -> Incoming:
        """What a client said, or Malformed."""

    def push(
        self, topic: str, event: str, payload: bytes, *, ref: Any = None, join_ref: Any = None
    ) -> bytes:
        """An event on a topic, with a JSON payload."""

    def broadcast(self, message: Message) -> bytes | None:
        """A broadcast, or None where this version cannot carry it."""


class Objects:
    """Version 1.0.0: each message a JSON object."""

    def read(self, data: str | bytes) -> Incoming:
        """What a client said, or Malformed."""
        said = _read(data)
        if not isinstance(said, dict):
            raise Malformed("expected an object")
        return _incoming(
            said.get("join_ref"),
            said.get("ref"),
            said.get("topic"),
            said.get("event"),
            said.get("payload"),
        )

    def push(
        self, topic: str, event: str, payload: bytes, *, ref: Any = None, join_ref: Any = None
    ) -> bytes:
        """An event on a topic, with a JSON payload."""
        del join_ref  # clients of this version know none
        parts = (documents.write(topic), documents.write(event), payload, documents.write(ref))
        return frames.text(b'{"topic":%b,"event":%b,"payload":%b,"ref":%b}' % parts)

    def broadcast(self, message: Message) -> bytes | None:
        """A broadcast; bytes cannot be said in JSON."""
        payload = as_object(message)
        return payload and self.push(PREFIX + message.topic, BROADCAST, payload)


class Arrays:
    """Version 2.0.0: each message a JSON array; broadcasts are binary."""

    def read(self, data: str | bytes) -> Incoming:
        """What a client said, or Malformed."""
        if isinstance(data, bytes):
            return _read_binary(data)
        said = _read(data)
        if not isinstance(said, list) or len(said) < 5:
            raise Malformed("expected an array of five")
        return _incoming(*said[:5])

    def push(
        self, topic: str, event: str, payload: bytes, *, ref: Any = None, join_ref: Any = None
    ) -> bytes:
        """An event on a topic, with a JSON payload."""
        names = documents.write([join_ref, ref, topic, event])
        return frames.text(b"%b,%b]" % (names[:-1], payload))

    def broadcast(self, message: Message) -> bytes | None:
        """A broadcast; names too long for a binary frame go as text, if the payload can."""
        topic, event = (PREFIX + message.topic).encode(), message.event.encode()
        meta = _meta(message)
        if max(len(topic), len(event), len(meta)) > _LONGEST:
            payload = as_object(message)
            return payload and self.push(PREFIX + message.topic, BROADCAST, payload)
        head = bytes((_TO_CLIENT, len(topic), len(event), len(meta), message.is_json))
        return frames.binary(b"".join((head, topic, event, meta, message.payload)))


OBJECTS = Objects()
ARRAYS = Arrays()
_VERSIONS: tuple[tuple[str, Serializer], ...] = (("1.0.", OBJECTS), ("2.0.", ARRAYS))


def choose(version: str) -> Serializer | None:
    """The serializer for a `vsn`, if it is one of ours."""
    return next((each for start, each in _VERSIONS if version.startswith(start)), None)


def as_object(message: Message) -> bytes | None:
    """A broadcast as the JSON object of a `broadcast` event."""
    if not message.is_json:
        return None
    meta = _meta(message)
    return b'{"event":%b,"payload":%b,"type":"broadcast"%b}' % (
        documents.write(message.event),
        message.payload,
        b',"meta":' + meta if meta else b"",
    )


def _meta(message: Message) -> bytes:
    if message.id is None:
        return b""
    replayed = {"replayed": True} if message.is_replayed else {}
    return documents.write({**replayed, "id": message.id})


def _read(data: str | bytes) -> Any:
    try:
        return documents.read(data)
    except documents.NotJson as error:
        raise Malformed(str(error)) from error


def _incoming(join_ref: Any, ref: Any, topic: Any, event: Any, payload: Any) -> Incoming:
    if not _is_text(topic) or not _is_text(event):
        raise Malformed("topic and event must be strings")
    return Incoming(topic, event, payload, ref, join_ref)


def _is_text(value: Any) -> bool:
    """Whether it is a string, and one that can be written: half a surrogate pair cannot."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read_binary(data: bytes) -> Incoming:
    if len(data) < 7 or data[0] != _FROM_CLIENT:
        raise Malformed("a binary message that is no broadcast")
    sizes = data[1:6]
    parts, position = [], 7
    for size in sizes:
        parts.append(data[position : position + size])
        position += size
    if position > len(data):
        raise Malformed("a binary message cut short")
    try:
        join_ref, ref, topic, event, _meta = (part.decode() for part in parts)
    except UnicodeDecodeError as error:
        raise Malformed(str(error)) from error
    spoken = Spoken(event, data[position:], is_json=data[6] != 0)
    return Incoming(topic, BROADCAST, spoken, ref, join_ref)
