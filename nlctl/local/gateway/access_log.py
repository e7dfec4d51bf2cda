"""The access log: one line for each request, with nothing in it that opens a door."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from time import perf_counter, time
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_plus

if TYPE_CHECKING:
    from starlette.types import Scope

# Everything else may hold a key, a token or somebody's data.
SHOWN_PARAMETERS = frozenset({
    "select", "order", "limit", "offset", "columns", "on_conflict", "grant_type", "type", "scope",
    "page", "per_page",
})  # fmt: skip
HIDDEN = "…"


def line(scope: Scope, service: str, *, status: int, size: int, began: float) -> str:
    """When, which service, what was asked, what was answered and how fast.

    `began` is on the clock of `perf_counter`; a status of 0 means that nothing was answered.
    """
    seconds, fraction = divmod(time(), 1)
    moment = f"{_second(seconds)}.{int(fraction * 1000):03}Z"
    milliseconds = (perf_counter() - began) * 1000
    path = scope.get("raw_path") or quote(scope["path"]).encode()
    client = scope.get("client")
    return (
        f"{moment} {service} {scope.get('method', 'GET')} {_target(path, scope['query_string'])} "
        f"{status or 'dropped'} {size}B {milliseconds:.1f}ms {client[0] if client else '-'}"
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
