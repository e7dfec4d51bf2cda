"""The hub: who is connected, who is in which room, and how a room is spoken to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from nlctl.local.realtime import documents
from nlctl.local.realtime.presence import Presence

if TYPE_CHECKING:
    from collections.abc import Callable

    from nlctl.local.realtime.channel import Channel
    from nlctl.local.realtime.contract import Message
    from nlctl.local.realtime.presence import Diff
    from nlctl.local.realtime.serializers import Serializer
    from nlctl.local.realtime.socket import Socket

RoomName = tuple[str, bool]  # a topic without `realtime:`, and whether it is private


class Room:
    """The channels joined to one topic. Nobody else knows them all."""

    def __init__(self) -> None:
        self.members: set[Channel] = set()
        self.presence = Presence()

    def broadcast(
        self,
        write: Callable[[Serializer], bytes | None],
        *,
        besides: Channel | None = None,
        message_id: str | None = None,
    ) -> None:
        """Write a frame to everybody who may hear broadcasts, `besides` excepted.

        Each serializer makes the frame once, however many hear it.
        """
        made: dict[Serializer, bytes | None] = {}
        for member in self.members:
            if member is besides or not member.hears_broadcasts:
                continue
            serializer = member.socket.serializer
            if serializer not in made:
                made[serializer] = write(serializer)
            frame = made[serializer]
            if frame is not None:
                member.hear(frame, message_id)

    def tell_presence(self, topic: str, diff: Diff) -> None:
        """Let everybody who may know it know who came and who went."""
        payload = documents.write({"joins": diff.joins, "leaves": diff.leaves})
        made: dict[Serializer, bytes] = {}
        for member in self.members:
            if not member.hears_presence:
                continue
            serializer = member.socket.serializer
            if serializer not in made:
                made[serializer] = serializer.push(topic, "presence_diff", payload)
            member.socket.write(made[serializer])


class Hub:
    """All sockets and rooms of the service."""

    def __init__(self) -> None:
        self._rooms: dict[RoomName, Room] = {}
        self._sockets: set[Socket] = set()
        self._occupied = asyncio.Event()
        self._vacant = asyncio.Event()
        self._vacant.set()

    @property
    def connections(self) -> int:
        """How many sockets are connected."""
        return len(self._sockets)

    def publish(self, message: Message) -> None:
        """Deliver a broadcast to every member of its topic, in the order of the calls."""
        room = self.room(message.topic, is_private=message.is_private)
        if room:
            room.broadcast(lambda serializer: serializer.broadcast(message), message_id=message.id)

    async def wait_until_occupied(self) -> None:
        """Return once at least one socket is connected."""
        await self._occupied.wait()

    async def wait_until_vacant(self) -> None:
        """Return once no socket is connected."""
        await self._vacant.wait()

    def room(self, topic: str, *, is_private: bool) -> Room | None:
        """The room of a topic, if anybody is in it."""
        return self._rooms.get((topic, is_private))

    def enter(self, channel: Channel) -> Room:
        """Join a channel to its room."""
        room = self._rooms.setdefault(_name(channel), Room())
        room.members.add(channel)
        return room

    def leave(self, channel: Channel) -> None:
        """Take a channel out of its room; the last one closes it."""
        room = self._rooms.get(_name(channel))
        if room is None:
            return
        room.members.discard(channel)
        if not room.members:
            del self._rooms[_name(channel)]

    def connect(self, socket: Socket) -> None:
        """Count a socket in."""
        self._sockets.add(socket)
        self._occupied.set()
        self._vacant.clear()

    def disconnect(self, socket: Socket) -> None:
        """Count a socket out."""
        self._sockets.discard(socket)
        if not self._sockets:
            self._occupied.clear()
            self._vacant.set()


def _name(channel: Channel) -> RoomName:
    return channel.topic, channel.is_private
