"""A channel: one topic, as one socket has joined it."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, Literal

import psycopg

from nlctl.local.realtime import credentials, documents, serializers
from nlctl.local.realtime.authorization import BROADCAST, PRESENCE, Visitor
from nlctl.local.realtime.contract import Message
from nlctl.local.realtime.credentials import OPAQUE, TokenRefused
from nlctl.local.realtime.joining import JoinRefused
from nlctl.local.realtime.permissions import UNREACHABLE, Permissions, may_not_read
from nlctl.local.realtime.rates import Rate
from nlctl.local.realtime.serializers import PREFIX, Malformed, Spoken

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nlctl.local.realtime.contract import Binding
    from nlctl.local.realtime.credentials import Credentials
    from nlctl.local.realtime.hub import Room
    from nlctl.local.realtime.joining import Join, Replay
    from nlctl.local.realtime.presence import Meta
    from nlctl.local.realtime.serializers import Incoming
    from nlctl.local.realtime.service import Service
    from nlctl.local.realtime.socket import Socket

CONFIRM_SECONDS = 300  # a token is looked at again this often: clocks jump, machines sleep
REPLICATION_SECONDS = 30
POSTGRES_CHANGES = "postgres_changes"
SYSTEM = "system"

log = logging.getLogger(__name__)


class Channel:
    """One topic, as one socket has joined it."""

    def __init__(self, socket: Socket, said: Incoming, join: Join) -> None:
        self.socket = socket
        self.topic = said.topic.removeprefix(PREFIX)
        self.is_private = join.is_private
        self.bindings: Sequence[Binding] = join.bindings
        self.hears_broadcasts = False
        self.hears_presence = False
        self._join = join
        self._join_ref = said.join_ref
        self._service: Service = socket.service
        self._credentials = self._first_credentials(join.token)
        self._permissions = Permissions(self._service.authorizer, is_private=join.is_private)
        self._extensions = (BROADCAST, PRESENCE) if join.has_presence else (BROADCAST,)
        self._described: Meta | None = None
        limits = self._service.config.limits
        self._presence_calls = Rate(limits.presence_calls, limits.presence_seconds)
        self._room: Room | None = None
        self._held: list[tuple[str | None, bytes]] | None = None
        self._replayed: frozenset[str | None] = frozenset()
        self._confirmation: asyncio.TimerHandle | None = None
        self._announcement: asyncio.Task[None] | None = None

    @property
    def claims(self) -> Mapping[str, Any]:
        """The claims of the latest token."""
        return self._credentials.claims

    async def open(self, said: Incoming) -> None:
        """Join, answer, and tell what is there already; or raise JoinRefused."""
        await self._permissions.ask_to_read(self._visitor(), self._extensions)
        self._listen()
        replayed = await self._enter(self._join.replay)
        self._watch_token()
        self.socket.reply(said, "ok", self._join.answer())
        self._catch_up(replayed)
        if self._join.awaits_replication:
            self._announcement = asyncio.create_task(self._announce_replication())
        if self.bindings:
            self._service.source.subscribe(self)
        if self._join.has_presence and self.hears_presence:
            self._push_presence_state()

    async def handle(self, said: Incoming) -> None:
        """Do what the client asks; what is no event of ours is passed over."""
        if said.event == "broadcast":
            await self._broadcast(said)
        elif said.event == "presence":
            await self._change_presence(said)
        elif said.event == "access_token" and isinstance(said.payload, dict):
            await self._take_token(said.payload.get("access_token"))

    def hear(self, frame: bytes, message_id: str | None) -> None:
        """Take a broadcast for the client; one that was replayed is not sent again."""
        if self._held is not None:
            self._held.append((message_id, frame))
        elif message_id is None or message_id not in self._replayed:
            self.socket.write(frame)

    def push(self, event: str, payload: bytes) -> None:
        """Send an event; `payload` is a JSON object."""
        topic = PREFIX + self.topic
        self.socket.write(
            self.socket.serializer.push(topic, event, payload, join_ref=self._join_ref)
        )

    def tell(
        self, status: Literal["ok", "error"], message: str, *, extension: str = POSTGRES_CHANGES
    ) -> None:
        """Send a `system` event."""
        said = {"extension": extension, "status": status, "message": message}
        self.push(SYSTEM, documents.write({**said, "channel": self.topic}))

    def close(self) -> None:
        """Be gone for everybody else, and tell the client that it is over."""
        self.leave()
        closing = self.socket.serializer.push(
            PREFIX + self.topic, "phx_close", b"{}", ref=self._join_ref, join_ref=self._join_ref
        )
        self.socket.write(closing)

    def leave(self) -> None:
        """Be gone for everybody else."""
        if self._confirmation:
            self._confirmation.cancel()
        if self._announcement:
            self._announcement.cancel()
        self._service.source.unsubscribe(self)
        self._service.hub.leave(self)
        self._leave_presence()
        self._room = None

    def shut_down(self, message: str) -> None:
        """End the channel from this side, and say why."""
        log.info("ChannelShutdown: %s", message)
        self.tell("error", message, extension=SYSTEM)
        self.socket.forget(self)
        self.close()

    # What is allowed

    def _first_credentials(self, token: object) -> Credentials:
        if token is None or (isinstance(token, str) and token.startswith(OPAQUE)):
            token = self.socket.token
        try:
            return credentials.read(self._service.keyring, token)
        except TokenRefused as refusal:
            raise JoinRefused(refusal.code, refusal.message) from refusal

    async def _take_token(self, token: object) -> None:
        if not isinstance(token, str) or token == self._credentials.token:
            return
        if token.startswith(OPAQUE):
            return
        try:
            self._credentials = credentials.read(self._service.keyring, token)
            await self._permissions.renew(self._visitor(), self._extensions)
        except (TokenRefused, JoinRefused) as refusal:
            self.shut_down(refusal.message)
            return
        self._listen()
        self._watch_token()
        if self.bindings:
            self._service.source.renew(self)

    def _watch_token(self) -> None:
        if self._confirmation:
            self._confirmation.cancel()
        delay = min(CONFIRM_SECONDS, max(0.01, self._credentials.expires_at - time.time()))
        self._confirmation = asyncio.get_running_loop().call_later(delay, self._confirm_token)

    def _confirm_token(self) -> None:
        try:
            credentials.read(self._service.keyring, self._credentials.token)
        except TokenRefused as refusal:
            self.shut_down(refusal.message)
        else:
            self._watch_token()

    def _listen(self) -> None:
        self.hears_broadcasts = self._permissions.may_read(BROADCAST)
        self.hears_presence = self._permissions.may_read(PRESENCE)

    def _visitor(self) -> Visitor:
        return Visitor(self.topic, self._credentials, self.socket.headers)

    # What was missed

    async def _enter(self, replay: Replay | None) -> Sequence[Message]:
        """Enter the room; whatever is said there while the past is read waits for its turn."""
        if replay and not self.hears_broadcasts:
            raise may_not_read(self.topic)
        self._held = [] if replay else None
        self._room = self._service.hub.enter(self)
        if replay is None:
            return ()
        try:
            return await self._service.source.replay(self.topic, replay.since, replay.limit)
        except (psycopg.Error, *UNREACHABLE) as error:
            raise JoinRefused(
                "UnableToReplayMessages", "Realtime was unable to replay messages"
            ) from error

    def _catch_up(self, replayed: Sequence[Message]) -> None:
        for message in replayed:
            self._push_replayed(message)
        self._replayed = frozenset(message.id for message in replayed)
        held, self._held = self._held or (), None
        for message_id, frame in held:
            self.hear(frame, message_id)

    def _push_replayed(self, message: Message) -> None:
        document = serializers.as_object(message)
        if document is not None:
            self.push(BROADCAST, document)
        elif frame := self.socket.serializer.broadcast(message):
            self.socket.write(frame)

    async def _announce_replication(self) -> None:
        try:
            await asyncio.wait_for(self._service.source.wait_until_live(), REPLICATION_SECONDS)
        except TimeoutError:
            self.shut_down("Replication connection was not established in time")
        else:
            self.tell("ok", "Replication connection established", extension=SYSTEM)

    # Broadcast

    async def _broadcast(self, said: Incoming) -> None:
        if not await self._permissions.may_write(self._visitor(), BROADCAST) or not self._room:
            return
        if not self._service.messages.take():
            self.shut_down("Too many messages per second")
            return
        fits = self._say(self._room, said.payload)
        if self._join.acknowledges and fits:
            self.socket.reply(said, "ok")
        elif self._join.acknowledges:
            self.socket.reply(said, "error", "payload_size_exceeded")

    def _say(self, room: Room, payload: object) -> bool:
        """Send what the client says to the room, unless it is too much."""
        if isinstance(payload, Spoken):
            return self._say_binary(room, payload)
        if not isinstance(payload, dict):
            raise Malformed("a broadcast must be an object")
        document = documents.write(payload)
        if len(document) > self._service.config.limits.payload_bytes:
            return False
        topic = PREFIX + self.topic
        room.broadcast(
            lambda serializer: serializer.push(topic, BROADCAST, document),
            besides=self._deaf_to_itself(),
        )
        return True

    def _say_binary(self, room: Room, spoken: Spoken) -> bool:
        if len(spoken.payload) > self._service.config.limits.payload_bytes:
            return False
        if spoken.is_json:
            documents.read(spoken.payload)  # it becomes a part of other people's documents
        message = Message(
            self.topic, spoken.event, spoken.payload, self.is_private, is_json=spoken.is_json
        )
        room.broadcast(
            lambda serializer: serializer.broadcast(message), besides=self._deaf_to_itself()
        )
        return True

    def _deaf_to_itself(self) -> Channel | None:
        return None if self._join.hears_itself else self

    # Presence

    async def _change_presence(self, said: Incoming) -> None:
        payload = said.payload if isinstance(said.payload, dict) else {}
        event = payload.get("event")
        if not isinstance(event, str):
            self.socket.reply(said, "ok")
        elif not self._presence_calls.take():
            self.shut_down("Client presence rate limit exceeded")
        elif event.lower() == "track":
            await self._track(said, payload.get("payload", {}))
        elif event.lower() == "untrack":
            self._leave_presence()
            self.socket.reply(said, "ok")
        else:
            self.socket.reply(said, "error")

    async def _track(self, said: Incoming, described: object) -> None:
        if not await self._permissions.may_write(self._visitor(), PRESENCE):
            self.socket.reply(said, "error")
        elif not isinstance(described, dict):
            self.socket.reply(said, "error", {"reason": "Presence track payload must be a map"})
        elif len(documents.write(described)) > self._service.config.limits.payload_bytes:
            self.shut_down("Track message size exceeded")
        elif described == self._described:
            self.socket.reply(said, "ok")
        elif not self._service.presence_messages.take():
            self.shut_down("Too many presence messages per second")
        else:
            await self._ask_for_presence()
            self._describe(described)
            self.socket.reply(said, "ok")

    async def _ask_for_presence(self) -> None:
        """Whoever shows himself without having asked for presence gets it, if he may."""
        if PRESENCE in self._extensions:
            return
        self._extensions = (BROADCAST, PRESENCE)
        try:
            await self._permissions.ask_to_read(self._visitor(), self._extensions)
        except JoinRefused as refusal:
            log.warning("%s", refusal)
        self._listen()

    def _describe(self, described: Meta) -> None:
        if self._room is None:
            return
        self._described = described
        diff = self._room.presence.track(self, self._join.presence_key, described)
        self._room.tell_presence(PREFIX + self.topic, diff)

    def _leave_presence(self) -> None:
        self._described = None
        if self._room is None:
            return
        diff = self._room.presence.untrack(self, self._join.presence_key)
        if diff:
            self._room.tell_presence(PREFIX + self.topic, diff)

    def _push_presence_state(self) -> None:
        if self._room is None:
            return
        if self._service.presence_messages.take():
            self.push("presence_state", documents.write(self._room.presence.state()))
        else:
            self.shut_down("Too many presence messages per second")
