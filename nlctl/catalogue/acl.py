"""Access lists: what PostgreSQL writes as `anon=r/postgres`, one privilege at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PUBLIC = "public"
PRIVILEGES = {
    "r": "select",
    "a": "insert",
    "w": "update",
    "d": "delete",
    "D": "truncate",
    "x": "references",
    "t": "trigger",
    "m": "maintain",
    "X": "execute",
    "U": "usage",
    "C": "create",
    "c": "connect",
    "T": "temporary",
    "s": "set",
    "A": "alter system",
}

_ITEM = re.compile(r'(?P<grantee>"(?:[^"]|"")*"|[^=]*)=(?P<letters>(?:[a-zA-Z]\*?)*)/')


@dataclass(frozen=True, order=True)
class Grant:
    """One privilege of one role (`public` is everybody); with the right to pass it on, or not."""

    grantee: str
    privilege: str
    is_grantable: bool = False


def parse(items: Iterable[str]) -> tuple[Grant, ...]:
    """The grants of an access list, each once and in order, whoever gave them."""
    return tuple(sorted({grant for item in items for grant in _grants(item)}))


def _grants(item: str) -> Iterator[Grant]:
    found = _ITEM.match(item)
    if found is None:
        raise ValueError(f"not an access list item: {item}")
    grantee = found["grantee"] or PUBLIC
    if grantee.startswith('"'):
        grantee = grantee[1:-1].replace('""', '"')
    for letter, star in re.findall(r"([a-zA-Z])(\*?)", found["letters"]):
        yield Grant(grantee, PRIVILEGES[letter], bool(star))
