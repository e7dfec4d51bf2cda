"""`migrate check` on the whole project: beside applying its files once, and reading alone."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bench import stopwatch
from nlctl import buckets, catalogue, database, project
from nlctl.catalogue import differences
from nlctl.local import scratch
from nlctl.migrations import drift

if TYPE_CHECKING:
    from collections.abc import Callable

    from nlctl.local.scratch import Scratch
    from nlctl.project import Project

PARTS = ("nlctl.toml", "migrations", "supabase")


def copy_project(root: Path) -> Project:
    """This checkout's files in a folder with a server of its own."""
    here = project.find().root
    for part in PARTS:
        source = here / part
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, root / part)
    return project.at(root)


def apply_once(room: Scratch) -> None:
    """A scratch database with all files applied, and nothing done with it."""
    with room.migrated():
        pass


def read_and_compare(url: str) -> None:
    """One catalogue read twice and compared."""
    with closing(database.connect(url, autocommit=True)) as connection:
        differences.between(catalogue.read(connection), catalogue.read(connection))


def main() -> None:
    """Make a server, measure, throw it away."""
    runs = stopwatch.runs(5, __doc__)
    with tempfile.TemporaryDirectory() as folder:
        here = copy_project(Path(folder))
        name = here.default_name
        with scratch.server(here) as room, room.migrated(name) as url:
            buckets.sync(url, room.declared_buckets(name))
            target = drift.Database(url, here.migrations(name), name)
            acts: dict[str, Callable[[], object]] = {
                "apply the files once": partial(apply_once, room),
                "check": partial(drift.check, target, room),
                "read two catalogues, compare": partial(read_and_compare, url),
            }
            timed = {label: partial(stopwatch.time, act) for label, act in acts.items()}
            stopwatch.compare(timed, runs)


if __name__ == "__main__":
    main()
