"""The hub as the database speaks to it: within the limits of everybody who speaks."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nlctl.local.realtime.contract import Hub, Message
    from nlctl.local.realtime.rates import Rate

TOO_LARGE = "payload_size_exceeded"
TOO_MANY = "too_many_requests"

log = logging.getLogger(__name__)


class LimitedHub:
    """Passes on what is neither too large nor too much; of the rest only the log hears."""

    def __init__(self, hub: Hub, payload_bytes: int, messages: Rate) -> None:
        self._hub = hub
        self._payload_bytes = payload_bytes
        self._messages = messages
        self._is_overrun = False

    def publish(self, message: Message) -> None:
        """Deliver, if the message keeps within the limits."""
        if len(message.payload) > self._payload_bytes:
            log.error("UnableToBroadcastChanges: %s: message %s", TOO_LARGE, message.id)
        elif self._messages.take():
            self._is_overrun = False
            self._hub.publish(message)
        elif not self._is_overrun:  # said once: there may be thousands
            self._is_overrun = True
            log.error("UnableToBroadcastChanges: %s: from message %s on", TOO_MANY, message.id)

    async def wait_until_occupied(self) -> None:
        """Return once at least one socket is connected."""
        await self._hub.wait_until_occupied()

    async def wait_until_vacant(self) -> None:
        """Return once no socket is connected."""
        await self._hub.wait_until_vacant()
