"""What every socket and channel of one Realtime service shares."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from nlctl.local.realtime.rates import Rate

if TYPE_CHECKING:
    from nlctl.local.realtime.authorization import Authorizer
    from nlctl.local.realtime.config import RealtimeConfig
    from nlctl.local.realtime.contract import Source
    from nlctl.local.realtime.hub import Hub
    from nlctl.local.tokens import Keyring


@dataclass(frozen=True)
class Service:
    """The parts of one service, and its counters."""

    config: RealtimeConfig
    keyring: Keyring
    hub: Hub
    authorizer: Authorizer
    source: Source
    messages: Rate  # broadcasts of all who speak, clients and SQL

    @cached_property
    def joins(self) -> Rate:
        """Joins of all clients."""
        return Rate.per_second(self.config.limits.joins_per_second)

    @cached_property
    def presence_messages(self) -> Rate:
        """What all clients say and are told of presence."""
        return Rate.per_second(self.config.limits.presence_messages_per_second)
