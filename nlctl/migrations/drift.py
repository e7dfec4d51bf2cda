"""Drift: a database held against what its applied files make of an empty one."""

from __future__ import annotations

import shutil
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from nlctl import buckets, catalogue, database
from nlctl.catalogue import differences, mending, reprint
from nlctl.migrations import down, files, runner, status
from nlctl.migrations.status import State

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nlctl.catalogue.differences import Difference
    from nlctl.local.scratch import Scratch
    from nlctl.migrations.status import Entry

_UNAPPLIED = {State.PENDING, State.OUT_OF_ORDER}


@dataclass(frozen=True)
class Database:
    """What is looked at: where it is, and which files belong to it."""

    url: str
    folder: Path
    project: str


@dataclass(frozen=True)
class Comparison:
    """What differs and mends; buckets are left aside where the login may not see them."""

    differences: tuple[Difference, ...]
    statements: tuple[str, ...]
    hides_buckets: bool


@dataclass(frozen=True)
class Report:
    """What `check` found. Files that are not applied yet are no fault of the database."""

    unapplied: tuple[Entry, ...]
    disputed: tuple[Entry, ...]
    differences: tuple[Difference, ...]
    statements: tuple[str, ...]
    ways_back: tuple[str, ...]
    hides_buckets: bool = False

    @property
    def is_clean(self) -> bool:
        """Whether the database is what its files say, and each way back leads back."""
        return not (self.disputed or self.differences or self.ways_back)


def check(of: Database, scratch: Scratch) -> Report:
    """History, catalogue and ways back of one database; nothing of it is changed."""
    entries = status.read(of.url, of.folder, of.project)
    applied = [entry for entry in entries if entry.state in {State.APPLIED, State.CHANGED}]
    with folder_of(applied) as folder:
        found = compare(of.url, folder, of.project, scratch)
    return Report(
        unapplied=tuple(entry for entry in entries if entry.state in _UNAPPLIED),
        disputed=tuple(e for e in entries if e.state not in {State.APPLIED, *_UNAPPLIED}),
        differences=found.differences,
        statements=found.statements,
        ways_back=_prove_ways_back(of, scratch),
        hides_buckets=found.hides_buckets,
    )


def compare(url: str, folder: Path, project: str, scratch: Scratch) -> Comparison:
    """Where a database is not what the files of `folder` make, and the SQL that would mend it."""
    with scratch.database() as wanted_url:
        if files.read(folder):
            runner.up(wanted_url, folder, project)
        buckets.sync(wanted_url, scratch.declared_buckets(project))
        with (
            closing(database.connect(wanted_url, autocommit=True)) as wanted,
            closing(database.connect(url, autocommit=True)) as seen,
        ):
            expected = catalogue.read(wanted)
            found = reprint.views(catalogue.read(seen), expected, wanted)
    drifted = differences.between(expected, found)
    return Comparison(drifted, mending.statements(drifted, expected), found.buckets is None)


@contextmanager
def folder_of(entries: Sequence[Entry]) -> Iterator[Path]:
    """A folder that holds only the files of `entries`."""
    with TemporaryDirectory() as name:
        for entry in entries:
            if entry.migration:
                shutil.copy(entry.migration.path, name)
        yield Path(name)


def _prove_ways_back(of: Database, scratch: Scratch) -> tuple[str, ...]:
    orphans = [f"{name}: belongs to no migration" for name in files.orphaned_downs(of.folder)]
    if not any(map(files.read_down, files.read(of.folder))):
        return tuple(orphans)
    with scratch.database() as url:
        return (*orphans, *down.prove(url, of.folder, of.project))
