"""Chapters: which domain each object belongs to, from the migration that makes it.

The first line of a migration names its domain: `-- Themes: the tokens every page starts from.`
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlctl.errors import InvalidInput
from nlctl.migrations import files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from nlctl.migrations.files import Migration

_KIND = r"(?:table|view|function|procedure|type|domain|sequence)"
_NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)'
_OBJECT = rf"(?P<object>{_NAME}(?:\s*\.\s*{_NAME})?)"
_MADE = re.compile(
    r"(?:create(?:\s+or\s+replace)?(?:\s+(?:unlogged|foreign|materialized|recursive))?"
    r"|comment\s+on(?:\s+materialized)?)"
    rf"\s+{_KIND}\s+(?:if\s+not\s+exists\s+)?{_OBJECT}",
    re.IGNORECASE,
)
_ATTACHED = re.compile(
    rf"create(?:\s+or\s+replace)?(?:\s+constraint)?\s+(?:policy|trigger)\s+(?P<name>{_NAME})"
    rf"\s.*?\bon\s+{_OBJECT}",
    re.IGNORECASE | re.DOTALL,
)
_RENAMED = re.compile(
    rf"alter\s+{_KIND}\s+(?:if\s+exists\s+)?{_OBJECT}(?:\s*\(.*?\))?\s+rename\s+to\s+(?P<name>{_NAME})",
    re.IGNORECASE | re.DOTALL,
)
_OPENING = re.compile(r"(?:-- ?nlctl:[^\n]*\n)*((?:--[^\n]*\n)+)")
_TITLE = re.compile(r"(?P<title>[^\W_][^:.;]{0,59}): (?P<purpose>.+)", re.DOTALL)


@dataclass(frozen=True)
class Domain:
    """What one page is about; `purposes` are the sentences its chapters open with."""

    title: str
    purposes: tuple[str, ...]
    version: str

    @property
    def slug(self) -> str:
        """The name of its page, without suffix."""
        return slug(self.title)


@dataclass(frozen=True, order=True)
class Place:
    """Where an object is made: file and position count as one order."""

    order: tuple[int, int]
    domain: str


@dataclass(frozen=True)
class Chapters:
    """The domains in the order they were begun, and the place of each object they make.

    Objects are called `schema.name`, and what hangs on a table `schema.table name`.
    """

    domains: tuple[Domain, ...]
    places: Mapping[str, Place]


def slug(title: str) -> str:
    """A title as the name of a file: `Session context` is session-context."""
    return files.slug(title).replace("_", "-")


def read(folder: Path) -> Chapters:
    """Domains and places from the migrations of a folder."""
    domains: dict[str, Domain] = {}
    places: dict[str, Place] = {}
    for number, migration in enumerate(files.read(folder)):
        made = list(_made_in(migration))
        if not made:
            continue
        domain = _domain_of(migration)
        domains[domain.slug] = _joined(domains.get(domain.slug), domain)
        for name, position in made:
            places.setdefault(name, Place((number, position), domain.slug))
    return Chapters(tuple(domains.values()), places)


def _domain_of(migration: Migration) -> Domain:
    opening = _OPENING.match(migration.text)
    lines = opening[1].splitlines() if opening else []
    sentence = " ".join(line.removeprefix("--").strip() for line in lines)
    found = _TITLE.match(sentence)
    if found is None or not slug(found["title"]):
        raise InvalidInput(
            f"{migration.path.name}:1: the file does not say which domain it belongs to.",
            hint="Begin it with `-- Domain: what it is for.`; each domain has a page in rules/.",
        )
    return Domain(found["title"].strip(), (found["purpose"].strip(),), migration.version)


def _joined(known: Domain | None, later: Domain) -> Domain:
    if known is None:
        return later
    purposes = dict.fromkeys((*known.purposes, *later.purposes))
    return Domain(known.title, tuple(purposes), later.version)


def _made_in(migration: Migration) -> Iterator[tuple[str, int]]:
    """Names of what the file makes, each with its position."""
    for statement in migration.statements:
        text = statement.text[statement.begins - statement.offset :]
        if found := _MADE.match(text):
            yield _full_name(found["object"]), statement.offset
        elif found := _RENAMED.match(text):
            schema, _, _ = _full_name(found["object"]).partition(".")
            yield f"{schema}.{_folded(found['name'])}", statement.offset
        elif found := _ATTACHED.match(text):
            yield f"{_full_name(found['object'])} {_folded(found['name'])}", statement.offset


def _full_name(written: str) -> str:
    """As the catalogue spells it: `"Loans"` is public.Loans, `App.Kept` is app.kept."""
    parts = [_folded(part) for part in re.findall(_NAME, written)]
    return ".".join(parts if len(parts) == 2 else ["public", *parts])


def _folded(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()
