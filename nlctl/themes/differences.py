"""Files against database, token by token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nlctl.themes.files import Theme


@dataclass(frozen=True)
class Difference:
    """One token's value on both sides (None where it is absent); no token: the whole theme."""

    theme: str
    token: str | None
    file: Any
    database: Any


def compare(files: Iterable[Theme], database: Iterable[Theme]) -> list[Difference]:
    """What differs, theme by theme in the order of their names."""
    left = {theme.name: theme for theme in files}
    right = {theme.name: theme for theme in database}
    return [
        difference
        for name in sorted(left.keys() | right.keys())
        for difference in _compare_one(name, left.get(name), right.get(name))
    ]


def _compare_one(name: str, file: Theme | None, database: Theme | None) -> list[Difference]:
    if file is None or database is None:
        return [Difference(name, None, _presence(file), _presence(database))]
    left, right = file.flat, database.flat
    return [
        Difference(name, token, left.get(token), right.get(token))
        for token in [*left, *(token for token in right if token not in left)]
        if left.get(token) != right.get(token)
    ]


def _presence(theme: Theme | None) -> str | None:
    return None if theme is None else "present"
