"""Ranges: the part of an object that a Range header asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nlctl.local.storage import errors

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True, slots=True)
class Span:
    """From the first byte to the last, both of them included."""

    first: int
    last: int

    @property
    def size(self) -> int:
        return self.last - self.first + 1


def read(header: str, size: int) -> Span:
    """The span of `header` in an object of `size` bytes; refuses what lies outside of it."""
    found = _RANGE.fullmatch(header)
    if not found or not (found[1] or found[2]):
        raise errors.invalid_range()
    if not found[1]:
        span = Span(max(size - int(found[2]), 0), size - 1)
    else:
        span = Span(int(found[1]), min(int(found[2] or size), size - 1))
    if span.size <= 0 or span.first >= size:
        raise errors.invalid_range()
    return span
