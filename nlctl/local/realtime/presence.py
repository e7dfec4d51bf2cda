"""Presence: who is in a room, as each of them describes himself."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Any

Meta = dict[str, Any]
Groups = dict[str, dict[str, list[Meta]]]


@dataclass(frozen=True)
class Diff:
    """Who came and who went; somebody who changed did both."""

    joins: Groups = field(default_factory=dict)
    leaves: Groups = field(default_factory=dict)


class Presence:
    """The people of one room. A holder is whatever somebody is present through: a channel."""

    def __init__(self) -> None:
        self._present: dict[str, dict[object, Meta]] = defaultdict(dict)

    def track(self, holder: object, key: str, described: Meta) -> Diff:
        """Be present under `key`, or describe oneself anew."""
        before = self._present[key].get(holder)
        meta = {**described, "phx_ref": token_urlsafe(12)}
        if before is not None:
            meta["phx_ref_prev"] = before["phx_ref"]
        self._present[key][holder] = meta
        return Diff(_group(key, meta), {} if before is None else _group(key, before))

    def untrack(self, holder: object, key: str) -> Diff | None:
        """Be gone; None where the holder was not there."""
        holders = self._present.get(key, {})
        meta = holders.pop(holder, None)
        if not holders:
            self._present.pop(key, None)
        return None if meta is None else Diff(leaves=_group(key, meta))

    def state(self) -> Groups:
        """Everybody."""
        return {key: {"metas": list(holders.values())} for key, holders in self._present.items()}


def _group(key: str, meta: Meta) -> Groups:
    return {key: {"metas": [meta]}}
