"""What somebody may have meant who wrote a name that does not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

ALIKE = 0.75
"""How alike a name must be to be told to somebody who does not know it."""
VAGUELY_ALIKE = 0.33
CANDIDATES = 20
"""How many names are compared letter by letter; comparing them all would be slow."""


def closest(name: str, known: Iterable[str], *, at_least: float = ALIKE) -> str | None:
    """The known name most like `name`, or None where none is like it."""
    pairs = _pairs(name)
    ranked = sorted(known, key=lambda other: (-_overlap(pairs, _pairs(other)), other))
    scored = [(_similarity(name.lower(), other.lower()), other) for other in ranked[:CANDIDATES]]
    score, best = max(scored, key=lambda pair: pair[0], default=(0.0, None))
    return best if score >= at_least else None


def _pairs(name: str) -> set[str]:
    framed = f"-{name.lower()}-"
    return {framed[place : place + 2] for place in range(len(framed) - 1)}


def _overlap(one: set[str], other: set[str]) -> float:
    return len(one & other) / len(one | other)


def _similarity(one: str, other: str) -> float:
    """1 for the same text, less for each letter added, left out or replaced."""
    longest = max(len(one), len(other))
    return 1 - _distance(one, other) / longest if longest else 1.0


def _distance(one: str, other: str) -> int:
    previous = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        current = [row]
        for column, against in enumerate(other, start=1):
            replaced = previous[column - 1] + (letter != against)
            current.append(min(previous[column] + 1, current[-1] + 1, replaced))
        previous = current
    return previous[-1]
