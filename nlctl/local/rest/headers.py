"""The headers of a request. Clients send the same ones again and again, so they are read once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

Pair = tuple[bytes, bytes]
MOST = 64
"""Headers of a request that is worth remembering."""


@dataclass(frozen=True, eq=False)
class Headers:
    """Names in lower case and values, in the order sent.

    Two are equal where they are the same object, as `read` gives one for what is sent alike: that
    makes them quick to look up.
    """

    pairs: tuple[tuple[str, str], ...] = ()

    def first(self, name: str) -> str | None:
        """The first of a name counts."""
        return self._first.get(name)

    @cached_property
    def prefer(self) -> tuple[str, ...]:
        """Every Prefer there is."""
        return tuple(value for name, value in self.pairs if name == "prefer")

    @cached_property
    def plain(self) -> dict[str, str]:
        """All but the cookies."""
        return {name: value for name, value in self.pairs if name != "cookie"}

    @cached_property
    def cookies(self) -> dict[str, str]:
        pairs = (part.partition("=") for part in (self.first("cookie") or "").split(";"))
        return {name.strip(): value.strip() for name, equals, value in pairs if equals}

    @cached_property
    def plain_document(self) -> str:
        """What SQL reads in `request.headers`."""
        return json.dumps(self.plain)

    @cached_property
    def cookies_document(self) -> str:
        """What SQL reads in `request.cookies`."""
        return json.dumps(self.cookies)

    @cached_property
    def _first(self) -> dict[str, str]:
        return dict(reversed(self.pairs))


def read(raw: Iterable[Pair]) -> Headers:
    """The headers as ASGI hands them over."""
    pairs = tuple(raw)
    return _remembered(pairs) if len(pairs) <= MOST else _read(pairs)


def _read(raw: Iterable[Pair]) -> Headers:
    return Headers(tuple((name.decode("latin-1").lower(), _text(value)) for name, value in raw))


_remembered = lru_cache(maxsize=256)(_read)


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
