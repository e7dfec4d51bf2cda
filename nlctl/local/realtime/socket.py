"""A socket: one client's connection, and the channels it has joined."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Literal

from nlctl.local.realtime import documents, joining
from nlctl.local.realtime.channel import Channel
from nlctl.local.realtime.documents import NotJson
from nlctl.local.realtime.joining import JoinRefused
from nlctl.local.realtime.serializers import PREFIX, Malformed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Send

    from nlctl.local.connections import Connection
    from nlctl.local.realtime.serializers import Incoming, Serializer
    from nlctl.local.realtime.service import Service

PHOENIX = "phoenix"  # the topic of heartbeats
LINGER_SECONDS = 10  # for what a closed connection has not read

log = logging.getLogger(__name__)


class Socket:
    """One client's connection. `token` admitted it; channels may show others."""

    def __init__(
        self,
        service: Service,
        connection: Connection,
        serializer: Serializer,
        token: str,
        headers: Mapping[str, str],
    ) -> None:
        self.service = service
        self.serializer = serializer
        self.token = token
        self.headers = headers
        self._connection = connection
        self._transport = connection.transport
        self._limits = service.config.limits
        self._channels: dict[str, Channel] = {}
        self._watch: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None

    async def serve(self, receive: Receive, send: Send) -> None:
        """Hear the client until it goes; then leave everything it joined."""
        self.service.hub.connect(self)
        self._watch_silence(send)
        try:
            while (event := await receive())["type"] != "websocket.disconnect":
                text = event.get("text")
                await self._hear(event["bytes"] if text is None else text, send)
        finally:
            self._go()

    def write(self, frame: bytes) -> None:
        """Send a frame; a client that leaves too much unread is dropped, and nobody waits."""
        transport = self._transport
        if transport.is_closing():
            return  # its channels leave as soon as it is this socket's turn
        transport.write(frame)
        if transport.get_write_buffer_size() > self._limits.backlog_bytes:
            log.warning("A client was dropped: it left too much unread.")
            transport.abort()

    def reply(
        self, said: Incoming, status: Literal["ok", "error"], response: object = None
    ) -> None:
        """Answer a message of the client."""
        answer = documents.write(
            {"status": status, "response": {} if response is None else response}
        )
        self.write(
            self.serializer.push(
                said.topic, "phx_reply", answer, ref=said.ref, join_ref=said.join_ref
            )
        )

    def forget(self, channel: Channel) -> None:
        """No longer pass messages on to a channel that has ended."""
        if self._channels.get(PREFIX + channel.topic) is channel:
            del self._channels[PREFIX + channel.topic]

    async def _hear(self, data: str | bytes, send: Send) -> None:
        """Do what one frame says; whatever is wrong with it, the next one is heard."""
        try:
            await self._answer(self.serializer.read(data), send)
        except (Malformed, NotJson) as error:
            log.info("MalformedWebSocketMessage: %s", error)
        except Exception:
            log.exception("UnknownErrorOnWebSocketMessage")

    async def _answer(self, said: Incoming, send: Send) -> None:
        channel = self._channels.get(said.topic)
        if said.topic == PHOENIX and said.event == "heartbeat":
            self.reply(said, "ok")
        elif said.event == "phx_join" and said.topic.startswith(PREFIX):
            await self._join(said, send)
        elif channel is None:
            self._answer_stranger(said)
        elif said.event == "phx_leave":
            self.reply(said, "ok")
            self.forget(channel)
            channel.close()
        else:
            await channel.handle(said)

    def _answer_stranger(self, said: Incoming) -> None:
        if said.event == "phx_leave":
            self.reply(said, "ok")
        else:
            self.reply(said, "error", {"reason": "unmatched topic"})

    async def _join(self, said: Incoming, send: Send) -> None:
        if before := self._channels.pop(said.topic, None):
            before.close()
        if not self.service.joins.take():
            reason = "ClientJoinRateLimitReached: Too many joins per second"
            self.reply(said, "error", {"reason": reason})
            await self._hang_up(send)
            return
        try:
            await self._open(said)
        except JoinRefused as refusal:
            log.info("%s", refusal)
            self.reply(said, "error", {"reason": str(refusal)})

    async def _open(self, said: Incoming) -> None:
        if said.topic == PREFIX:
            raise JoinRefused("TopicNameRequired", "You must provide a topic name")
        if len(self._channels) >= self._limits.channels_per_connection:
            raise JoinRefused("ChannelRateLimitReached", "Too many channels")
        channel = Channel(self, said, joining.read(said.payload))
        self._channels[said.topic] = channel
        try:
            await channel.open(said)
        except BaseException:
            self.forget(channel)
            channel.leave()
            raise

    def _watch_silence(self, send: Send) -> None:
        """Look again when the client would have been silent for too long."""
        loop = asyncio.get_running_loop()
        left = self._connection.heard_at + self._limits.idle_seconds - loop.time()
        if left <= 0:
            self._closing = asyncio.create_task(self._hang_up(send))
        else:
            self._watch = loop.call_later(left, self._watch_silence, send)

    async def _hang_up(self, send: Send) -> None:
        if self._connection.writable.is_set():
            await send({"type": "websocket.close", "code": 1000})
        else:
            self._transport.abort()  # nobody reads; a goodbye would wait for ever

    def _go(self) -> None:
        if self._watch:
            self._watch.cancel()
        for channel in self._channels.values():
            channel.leave()
        self._channels.clear()
        self.service.hub.disconnect(self)
        if self._transport.get_write_buffer_size():
            asyncio.get_running_loop().call_later(LINGER_SECONDS, self._transport.abort)
