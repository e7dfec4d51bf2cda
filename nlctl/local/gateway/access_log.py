"""The access log: one line for each request, with nothing in it that opens a door."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from time import perf_counter, time
from urllib.parse import quote, unquote_plus

# Everything else may hold a key, a token or somebody's data.
SHOWN_PARAMETERS = frozenset({
    "select", "order", "limit", "offset", "columns", "on_conflict", "grant_type", "type", "scope",
    "page", "per_page",
})  # fmt: skip
HIDDEN = "…"


@dataclass(slots=True)
class Entry:
    """One request on its way; `line` when it is answered."""

    service: str
    method: str
    path: bytes
    query: bytes
    client: str
    status: int = 0
    size: int = 0
    began: float = field(default_factory=perf_counter)

    def line(self) -> str:
        """When, which service, what was asked, what was answered and how fast."""
        seconds, fraction = divmod(time(), 1)
        moment = f"{_second(seconds)}.{int(fraction * 1000):03}Z"
        milliseconds = (perf_counter() - self.began) * 1000
        return (
            f"{moment} {self.service} {self.method} {_target(self.path, self.query)} "
            f"{self.status or 'dropped'} {self.size}B {milliseconds:.1f}ms {self.client}"
        )


@lru_cache(maxsize=2)
def _second(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _target(path: bytes, query: bytes) -> str:
    shown = _printable(path.decode("latin-1"))
    if not query:
        return shown
    return f"{shown}?{'&'.join(map(_parameter, query.decode('latin-1').split('&')))}"


def _parameter(written: str) -> str:
    name, equals, value = written.partition("=")
    if equals and not _is_shown(name):
        return f"{_printable(name)}={HIDDEN}"
    return f"{_printable(name)}{equals}{_printable(value)}"


@lru_cache(maxsize=256)
def _is_shown(name: str) -> bool:
    # An embedded resource has its own: todos.order, todos.limit.
    return unquote_plus(name).rpartition(".")[2] in SHOWN_PARAMETERS


@lru_cache(maxsize=256)
def _printable(written: str) -> str:
    """As people write it; what could break the line stays encoded."""
    return quote(unquote_plus(written), safe="/:!*'(),@-_.~$[]{}<>|\"")
