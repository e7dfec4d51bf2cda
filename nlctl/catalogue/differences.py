"""Differences: one catalogue held against another, object by object, fact by fact."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from nlctl.catalogue import platform, things
from nlctl.catalogue.thing import GRANTS, Absence, Thing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nlctl.catalogue.model import Catalogue
    from nlctl.catalogue.thing import Key

_MAINTAIN_SINCE = 17


@dataclass(frozen=True)
class Difference:
    """One fact on which two databases disagree; without a `fact`, the object itself.

    `wanted` and `seen` are the object on the side that should be and on the side that is.
    """

    kind: str
    name: str
    fact: str | None
    expected: str | None
    found: str | None
    wanted: Thing | None
    seen: Thing | None

    def __str__(self) -> str:
        """What, where, expected, found, in one line."""
        if self.fact is None:
            said = "expected, not found" if self.seen is None else "found, not expected"
            return f"{self.kind} {self.name}: {said}"
        expected, found, place = _first_disagreement(self.expected, self.found)
        return f"{self.kind} {self.name}: {self.fact}{place}: expected {expected}, found {found}"


def between(expected: Catalogue, found: Catalogue) -> tuple[Difference, ...]:
    """Where `found` is not as `expected`. Parts of what is missing or too much go untold."""
    wanted, seen = things.of(expected), things.of(found)
    can_compare_maintain = min(expected.server_version, found.server_version) >= _MAINTAIN_SINCE
    return tuple(
        difference
        for key in [*wanted, *(key for key in seen if key not in wanted)]
        for difference in _compare(key, wanted, seen)
        if can_compare_maintain or not _is_only_maintain(difference)
    )


def _compare(
    key: Key, wanted: Mapping[Key, Thing], seen: Mapping[Key, Thing]
) -> Iterator[Difference]:
    one, other = wanted.get(key), seen.get(key)
    thing = one or other
    if thing is None or _is_implied(thing, wanted, seen):
        return
    if (one and other) or thing.absence is Absence.IS_EMPTY:
        yield from _compare_facts(key, one, other)
    elif thing.absence is Absence.IS_NEWS and not _is_platforms(one, other):
        yield Difference(*key, None, None, None, one, other)


def _compare_facts(key: Key, one: Thing | None, other: Thing | None) -> Iterator[Difference]:
    expected = one.facts if one else {}
    found = other.facts if other else {}
    for label in [*expected, *(label for label in found if label not in expected)]:
        if expected.get(label) != found.get(label):
            yield Difference(*key, label, expected.get(label), found.get(label), one, other)


def _is_implied(thing: Thing, wanted: Mapping[Key, Thing], seen: Mapping[Key, Thing]) -> bool:
    """Whether what it is part of is on one side only, which says it all."""
    whole = thing.part_of
    if whole is None or (whole in wanted) == (whole in seen):
        return False
    return whole in wanted or whole in seen


def _is_platforms(wanted: Thing | None, seen: Thing | None) -> bool:
    """Whether it is only there because this platform brings it."""
    return bool(
        wanted is None
        and seen
        and seen.kind == "extension"
        and getattr(seen.source, "name", None) in platform.EXTENSIONS
    )


def _is_only_maintain(difference: Difference) -> bool:
    """Whether it is about the privilege that only newer servers know."""
    if not (difference.fact or "").startswith(GRANTS):
        return False
    sides = (difference.expected or "", difference.found or "")
    one, other = ({p for p in side.split(", ") if not p.startswith("maintain")} for side in sides)
    return one - {""} == other - {""}


def _first_disagreement(expected: str | None, found: str | None) -> tuple[str, str, str]:
    """What to show of two texts: whole where each is a line, else the first lines that differ."""
    if expected is None or found is None or "\n" not in expected + found:
        return _in_a_line(expected), _in_a_line(found), ""
    lines = zip_longest(expected.splitlines(), found.splitlines())
    for number, (one, other) in enumerate(lines, 1):
        if one != other:
            return _shown(one), _shown(other), f", line {number}"
    return "another end of line", "this one", ""


def _in_a_line(text: str | None) -> str:
    return "nothing" if text is None else " ".join(text.split())


def _shown(line: str | None) -> str:
    if line is None:
        return "the end"
    return f"«{line.strip()}»" if line.strip() else "an empty line"
