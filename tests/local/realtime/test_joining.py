"""Joining and leaving, in both versions of the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.local.realtime.serving import Running


def test_a_public_channel_lets_anybody_in(realtime: Running, topic: str, version: str) -> None:
    reply = realtime.socket(version=version).join(topic)

    assert reply.payload == {"status": "ok", "response": {"postgres_changes": []}}
