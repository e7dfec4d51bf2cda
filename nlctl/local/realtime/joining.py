"""What a join asks for, read as leniently as the service reads it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from nlctl.local.realtime import documents
from nlctl.local.realtime.contract import Binding

REPLAY_LIMIT = 25

_LATEST_MOMENT = 253_402_300_799_999  # ms of the epoch: the end of the year 9999


class JoinRefused(Exception):
    """A join that ends in an error reply: a code and a sentence, which together are its reason."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.message = message


@dataclass(frozen=True)
class Replay:
    """The latest messages since a moment (ms of the epoch), `limit` at most."""

    since: int
    limit: int


@dataclass(frozen=True)
class Join:
    """The payload of phx_join."""

    is_private: bool
    acknowledges: bool
    hears_itself: bool
    replay: Replay | None
    awaits_replication: bool
    presence_key: str
    has_presence: bool
    asked_changes: tuple[dict[str, Any], ...]
    token: object

    @property
    def bindings(self) -> tuple[Binding, ...]:
        """The entries of postgres_changes, each different one once."""
        return tuple({each.id: each for each in map(_bind, self.asked_changes)}.values())

    def answer(self) -> dict[str, Any]:
        """The response to an accepted join: every entry in its place, with its id."""
        changes = [{**asked, "id": _bind(asked).id} for asked in self.asked_changes]
        return {"postgres_changes": changes}


def read(payload: object) -> Join:
    """Take what can be taken; whatever is of the wrong kind counts as not asked for."""
    given = _table(payload)
    config = _table(given.get("config"))
    broadcast, presence = _table(config.get("broadcast")), _table(config.get("presence"))
    is_private = _flag(config.get("private"))
    key, token = presence.get("key"), given.get("access_token")
    return Join(
        is_private=is_private,
        acknowledges=_flag(broadcast.get("ack")),
        hears_itself=_flag(broadcast.get("self")),
        replay=_replay(broadcast["replay"], is_private) if "replay" in broadcast else None,
        awaits_replication=_flag(broadcast.get("replication_ready")),
        presence_key=str(uuid4()) if key is None or key == "" else str(key),
        has_presence=_flag(presence.get("enabled")),
        asked_changes=_changes(config.get("postgres_changes")),
        token=given.get("user_token") if token is None else token,
    )


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _flag(value: object) -> bool:
    return value is True or (isinstance(value, str) and value.lower() == "true")


def _replay(asked: object, is_private: bool) -> Replay:
    if not is_private:
        raise JoinRefused("UnableToReplayMessages", "Replay is not allowed for public channels")
    wanted = _table(asked)
    since, limit = wanted.get("since"), wanted.get("limit", REPLAY_LIMIT)
    if type(since) is not int or type(limit) is not int or abs(since) > _LATEST_MOMENT:
        raise JoinRefused("UnableToReplayMessages", "Replay params are not valid")
    return Replay(since, max(1, min(limit, REPLAY_LIMIT)))


def _changes(asked: object) -> tuple[dict[str, Any], ...]:
    entries = [each for each in asked if each is not None] if isinstance(asked, list) else []
    for each in entries:
        if not isinstance(each, dict):
            raise JoinRefused("UnknownErrorOnChannel", "postgres_changes must be a list of objects")
    return tuple(entries)


def _bind(asked: dict[str, Any]) -> Binding:
    canonical = documents.write(dict(sorted(asked.items())))
    return Binding(zlib.crc32(canonical), asked)
