"""What the Realtime service is told: its database, and how much is too much."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Limits:
    """How much is too much; the defaults are those of the platform's largest plan.

    Rates are a second's, counted over ten. Messages are counted as they are sent, by clients and by
    SQL: how many people hear one is not held against its sender.
    """

    connections: int = 10_000
    channels_per_connection: int = 100
    joins_per_second: int = 2_500
    messages_per_second: int = 2_500
    presence_messages_per_second: int = 1_000
    presence_calls: int = 5  # of one channel, in `presence_seconds`
    presence_seconds: float = 30
    payload_bytes: int = 3_000_000
    backlog_bytes: int = 16_000_000  # what one slow socket may leave unread before it is dropped
    idle_seconds: float = 60  # without a byte from the client; it sends a heartbeat every 25


@dataclass(frozen=True)
class RealtimeConfig:
    """Settings of one Realtime service; `database_url` logs in as supabase_realtime_admin."""

    database_url: str = field(repr=False)
    limits: Limits = Limits()
