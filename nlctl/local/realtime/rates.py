"""Rates: so many in so long, and no more."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW_SECONDS = 10  # a burst passes where the average does


class Rate:
    """At most `limit` in each window of `seconds`."""

    def __init__(
        self, limit: float, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = limit
        self._seconds = seconds
        self._clock = clock
        self._until = 0.0
        self._count = 0

    @classmethod
    def per_second(cls, limit: float) -> Rate:
        """At most `limit` a second, on average."""
        return cls(limit * WINDOW_SECONDS, WINDOW_SECONDS)

    @property
    def left(self) -> float:
        """How many more pass now."""
        if self._clock() >= self._until:
            return self._limit
        return self._limit - self._count

    def take(self, count: int = 1) -> bool:
        """Count these, if they pass."""
        now = self._clock()
        if now >= self._until:
            self._until = now + self._seconds
            self._count = 0
        if self._count + count > self._limit:
            return False
        self._count += count
        return True
