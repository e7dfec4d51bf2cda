"""Pages: hand-written text around parts that are written anew from the catalogue.

A part lies between AUTO:BEGIN and AUTO:END, each on a line of its own, and holds anchors; each
anchor opens one section. Everything else is somebody's and stays as it is, byte for byte.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlctl.errors import RulesPageBroken

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

BEGIN = "<!-- AUTO:BEGIN -->"
END = "<!-- AUTO:END -->"

_MARKER = re.compile(
    r"^[ \t]*<!--[ \t]*(?:(AUTO:BEGIN)|(AUTO:END)|ANCHOR:(.+?))[ \t]*-->[ \t]*(?:\r?\n|\Z)",
    re.MULTILINE,
)
_FRONT_MATTER = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Section:
    """What stands under one anchor."""

    anchor: str
    text: str


@dataclass(frozen=True)
class Part:
    """A stretch between AUTO:BEGIN and AUTO:END, from `start` to `end` of the page."""

    start: int
    end: int
    anchors: tuple[str, ...]


def compose(facts: Mapping[str, str], sections: Sequence[Section]) -> str:
    """A new page."""
    return _with_facts(f"{BEGIN}\n{_joined(sections)}{END}\n", facts)


def refresh(page: str, facts: Mapping[str, str], sections: Sequence[Section], name: str) -> str:
    """The page with its parts and the named lines of its front matter written anew.

    A part keeps its anchors as long as they exist; a new section follows the one before it.
    """
    parts = find_parts(page, name)
    if not parts:
        raise RulesPageBroken(
            f"{name}:1: no part to write in.", hint=f"Add the lines {BEGIN} and {END}."
        )
    pieces = []
    position = 0
    for part, own in zip(parts, _shared_out(parts, sections), strict=True):
        newline = _newline_before(page, part.start)
        pieces += [page[position : part.start], _joined(own).replace("\n", newline)]
        position = part.end
    return _with_facts("".join([*pieces, page[position:]]), facts)


def find_parts(page: str, name: str) -> tuple[Part, ...]:
    """The parts of a page in order; markers that do not pair up are refused with their line."""
    return tuple(_parts(page, name))


def _parts(page: str, name: str) -> Iterator[Part]:
    opened: re.Match[str] | None = None
    seen: set[str] = set()
    anchors: list[str] = []
    for marker in _MARKER.finditer(page):
        begins, ends, anchor = marker.groups()
        if begins and opened:
            raise _broken(page, opened, name, "AUTO:BEGIN without AUTO:END")
        if anchor in seen:
            raise _broken(page, marker, name, f"a second ANCHOR:{anchor}")
        if begins:
            opened, anchors = marker, []
        elif opened is None:
            raise _broken(page, marker, name, f"{ends or f'ANCHOR:{anchor}'} without AUTO:BEGIN")
        elif ends:
            yield Part(opened.end(), marker.start(), tuple(anchors))
            opened = None
        else:
            seen.add(anchor)
            anchors.append(anchor)
    if opened:
        raise _broken(page, opened, name, "AUTO:BEGIN without AUTO:END")


def _broken(page: str, marker: re.Match[str], name: str, complaint: str) -> RulesPageBroken:
    line = page.count("\n", 0, marker.start()) + 1
    return RulesPageBroken(
        f"{name}:{line}: {complaint}.", hint="Mend the markers; nothing was written."
    )


def _shared_out(parts: Sequence[Part], sections: Sequence[Section]) -> list[list[Section]]:
    homes = {anchor: number for number, part in enumerate(parts) for anchor in part.anchors}
    shares: list[list[Section]] = [[] for _ in parts]
    home = 0
    for section in sections:
        home = homes.get(section.anchor, home)
        shares[home].append(section)
    return shares


def _joined(sections: Sequence[Section]) -> str:
    return "\n".join(f"<!-- ANCHOR:{each.anchor} -->\n{each.text.strip()}\n" for each in sections)


def _newline_before(page: str, position: int) -> str:
    return "\r\n" if page[:position].endswith("\r\n") else "\n"


def _with_facts(page: str, facts: Mapping[str, str]) -> str:
    """Front matter with these lines; its other lines stay."""
    found = _FRONT_MATTER.match(page)
    if found is None:
        return f"---\n{_lines(facts)}---\n\n{page}"
    matter = found[1]
    newline = _newline_before(page, found.start(1))
    for key, value in facts.items():
        line = re.compile(rf"^{key}:[^\n]*\n(?:[ \t]+[^\n]*\n)*", re.MULTILINE)
        written = _lines({key: value}).replace("\n", newline)
        matter, count = line.subn(lambda _, written=written: written, matter, count=1)
        matter += "" if count else written
    return page[: found.start(1)] + matter + page[found.end(1) :]


def _lines(facts: Mapping[str, str]) -> str:
    """As YAML reads them; JSON strings are YAML."""
    return "".join(
        f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in facts.items()
    )
