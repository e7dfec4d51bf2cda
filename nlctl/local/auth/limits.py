"""Limits: how often something may happen before the service says wait."""

from __future__ import annotations

import time

KEPT_KEYS = 10_000


class Allowance:
    """For each key, `amount` uses at once, refilled evenly over `seconds`."""

    def __init__(self, amount: int, seconds: float) -> None:
        self._amount = amount
        self._rate = amount / seconds
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, key: str = "") -> bool:
        """Use one; False when none is left."""
        left = self._available(key)
        if left < 1:
            return False
        self._keep(key, left - 1)
        return True

    def give_back(self, key: str = "") -> None:
        """Undo one `take`."""
        self._keep(key, min(self._amount, self._available(key) + 1))

    def _available(self, key: str) -> float:
        left, since = self._left.get(key, (self._amount, time.monotonic()))
        return min(self._amount, left + (time.monotonic() - since) * self._rate)

    def _keep(self, key: str, left: float) -> None:
        if len(self._left) >= KEPT_KEYS:
            self._left = {
                known: kept
                for known, kept in self._left.items()
                if self._available(known) < self._amount
            }
        self._left[key] = (left, time.monotonic())
