"""The folder of pages: what it should hold, how that differs from what it holds, and writing it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from nlctl.errors import RulesPageBroken
from nlctl.rules import markdown, pages, sections

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from nlctl.rules.atlas import Atlas
    from nlctl.rules.chapters import Domain
    from nlctl.rules.pages import Section

INDEX = "README.md"
DIFF_LINES = 20


class State(StrEnum):
    """How a page stands to the database."""

    FRESH = "fresh"
    NEW = "new"
    STALE = "stale"
    LEFT_OVER = "left over"  # of a domain that is gone: a person decides what becomes of it


@dataclass(frozen=True)
class Page:
    """One page: its text as it is, and as it should be."""

    name: str
    before: str | None
    after: str | None

    @property
    def state(self) -> State:
        """What is to be done about it."""
        if self.after is None:
            return State.LEFT_OVER
        if self.before is None:
            return State.NEW
        return State.FRESH if self.before == self.after else State.STALE

    @property
    def diff(self) -> list[str]:
        """What `build` would change, cut short."""
        if self.after is None:
            return []
        sides = (self.before or "").splitlines(), self.after.splitlines()
        lines = list(difflib.unified_diff(*sides, "as it is", "as it should be", "", "", 0, ""))
        left_out = len(lines) - DIFF_LINES
        return [*lines[:DIFF_LINES], f"… {left_out} more lines"] if left_out > 0 else lines


def plan(folder: Path, title: str, atlas: Atlas) -> list[Page]:
    """Every page; broken ones and objects without a page are refused before anything is written."""
    atlas.require_places()
    domains = atlas.domains
    wanted = [
        _page(folder, INDEX, _facts_of_index(title, domains), sections.of_index(title, atlas))
    ]
    wanted += [
        _page(folder, f"{domain.slug}.md", _facts(domain), sections.of_domain(domain, atlas))
        for domain in domains
    ]
    return [*wanted, *_left_over(folder, {page.name for page in wanted})]


def write(folder: Path, planned: Sequence[Page]) -> None:
    """Write the pages that are new or stale, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    for page in planned:
        if page.after is not None and page.after != page.before:
            draft = folder / f".{page.name}.draft"
            draft.write_bytes(page.after.encode())
            draft.replace(folder / page.name)


def _page(folder: Path, name: str, facts: Mapping[str, str], own: Sequence[Section]) -> Page:
    before = _read(folder / name)
    if before is None:
        return Page(name, None, pages.compose(facts, own))
    return Page(name, before, pages.refresh(before, facts, own, f"{folder.name}/{name}"))


def _left_over(folder: Path, wanted: set[str]) -> Iterator[Page]:
    """Pages with parts of ours that no domain fills; a page without parts is somebody's own."""
    for path in sorted(folder.glob("*.md")):
        text = _read(path) if path.name not in wanted else None
        if text and pages.find_parts(text, f"{folder.name}/{path.name}"):
            yield Page(path.name, text, None)


def _read(path: Path) -> str | None:
    """The page byte for byte: no line end is translated."""
    if not path.is_file():
        return None
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise RulesPageBroken(
            f"{path.parent.name}/{path.name}:{line}: not UTF-8.",
            hint="Save it as UTF-8; nothing was written.",
        ) from None


def _facts(domain: Domain) -> dict[str, str]:
    purpose = markdown.sentence(domain.purposes[0])
    return _dated({"title": domain.title, "description": purpose}, domain.version)


def _facts_of_index(title: str, domains: Sequence[Domain]) -> dict[str, str]:
    newest = max((domain.version for domain in domains), key=int, default="0")
    return _dated({"title": f"Rules of {title}", "description": "What exists, by domain."}, newest)


def _dated(facts: dict[str, str], version: str) -> dict[str, str]:
    """With the newest migration of what it tells, whose name is a moment."""
    date = f"{version[:4]}-{version[4:6]}-{version[6:8]}" if len(version) == 14 else ""
    return {**facts, "version": version, **({"date": date} if date else {})}
