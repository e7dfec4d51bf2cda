"""Places: the line of a migration that made what a lint found."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nlctl.migrations import files, statements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nlctl.lints.findings import Finding
    from nlctl.migrations.files import Migration
    from nlctl.project import Project

_PART = r'(?:"(?:[^"]|"")+"|[^\s".(]+)'
_NAME = rf"{_PART}(?:\.{_PART})*"
_OBJECT = re.compile(rf"(?P<kind>[a-z ]+?) (?P<name>{_NAME})(?:\(.*\))?(?: on (?P<table>{_NAME}))?")


def locate(findings: Iterable[Finding], project: Project, name: str) -> Iterator[Finding]:
    """The findings, with file and line wherever a migration of the project names the object."""
    folder = project.migrations(name)
    migrations = files.read(folder) if folder.is_dir() else ()
    for finding in findings:
        place = None if finding.file else find(finding.object, migrations)
        if place is None:
            yield finding
            continue
        migration, line = place
        path = Path(os.path.relpath(migration.path, project.root)).as_posix()
        yield replace(finding, file=path, line=line)


def find(thing: str, migrations: Sequence[Migration]) -> tuple[Migration, int] | None:
    """The last migration that creates `thing`, such as `policy p on public.t`, and the line."""
    for pattern in _patterns(thing):
        for migration in reversed(migrations):
            for found in reversed(list(pattern.finditer(migration.text))):
                return migration, statements.place(migration.text, found.start()).line
    return None


def _patterns(thing: str) -> Iterator[re.Pattern[str]]:
    """What to look for, the best first: the object's own statement, else its table's."""
    parts = _OBJECT.fullmatch(thing)
    if parts is None:
        return
    kind, name, table = parts["kind"], parts["name"], parts["table"]
    if kind == "constraint":
        yield re.compile(rf"\bconstraint\s+{_spelt(name)}\b", re.IGNORECASE)
    elif table:
        yield _creation(kind, name, rf"\s+on\s+{_spelt(table)}(?![\w\"])")
    else:
        yield _creation(kind, name)
    if table:
        yield _creation("table", table)


def _creation(kind: str, name: str, rest: str = r"(?![\w\"])") -> re.Pattern[str]:
    return re.compile(
        rf"^[ \t]*create\s+(?:or\s+replace\s+|unique\s+)*{kind.replace(' ', chr(92) + 's+')}\s+"
        rf"(?:concurrently\s+|if\s+not\s+exists\s+)*{_spelt(name)}{rest}",
        re.IGNORECASE | re.MULTILINE,
    )


def _spelt(name: str) -> str:
    """With or without quotes and, as search_path would have it, its schema."""
    *schema, own = (
        re.escape(part.removeprefix('"').removesuffix('"')) for part in re.findall(_PART, name)
    )
    prefix = "".join(rf'(?:"?{part}"?\.)?' for part in schema)
    return rf'{prefix}"?{own}"?'
