"""What the two sides of Realtime know of each other: the sockets here, the database there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Message:
    """A broadcast to everybody on a topic; `topic` is without `realtime:`.

    `payload` is JSON as PostgreSQL or the sender wrote it, or bytes of any kind where `is_json` is
    false. A public and a private channel of one name are two topics.
    """

    topic: str
    event: str
    payload: bytes
    is_private: bool
    is_json: bool = True
    id: str | None = None
    is_replayed: bool = False


@dataclass(frozen=True, slots=True)
class Binding:
    """One entry of a join's postgres_changes: `asked` is what was sent, `id` what it is called."""

    id: int
    asked: Mapping[str, Any]


class Listener(Protocol):
    """A joined channel that wants to hear of rows."""

    @property
    def topic(self) -> str:
        """Its topic, without `realtime:`."""

    @property
    def claims(self) -> Mapping[str, Any]:
        """The claims of its latest token; `role` is among them."""

    @property
    def bindings(self) -> Sequence[Binding]:
        """What it asked for, each different thing once."""

    def push(self, event: str, payload: bytes) -> None:
        """Send an event on the channel; `payload` is a JSON object."""

    def tell(self, status: Literal["ok", "error"], message: str) -> None:
        """Send a `system` event of the extension postgres_changes."""


class Changes(Protocol):
    """The database's side, for channels that want to hear of rows."""

    def subscribe(self, listener: Listener) -> None:
        """Begin; the listener is told when it hears, or why it never will."""

    def renew(self, listener: Listener) -> None:
        """Its claims changed."""

    def unsubscribe(self, listener: Listener) -> None:
        """Its channel is gone. Harmless where it never began."""


class Archive(Protocol):
    """The database's side, for channels that ask what they missed."""

    async def replay(self, topic: str, since: int, limit: int) -> Sequence[Message]:
        """The latest private broadcasts since a moment (ms of the epoch), the oldest first."""


class Source(Changes, Archive, Protocol):
    """The database's side, whole. It is made with the hub that it publishes to."""

    async def open(self) -> None:
        """Connect; from now on follow the database while sockets are connected."""

    async def close(self) -> None:
        """Hang up."""

    async def wait_until_live(self) -> None:
        """Return once what is committed is heard at once."""


class Hub(Protocol):
    """The sockets' side: who is there, and how they are reached."""

    def publish(self, message: Message) -> None:
        """Deliver to every member of the topic, in the order of the calls."""

    async def wait_until_occupied(self) -> None:
        """Return once at least one socket is connected."""

    async def wait_until_vacant(self) -> None:
        """Return once no socket is connected."""
