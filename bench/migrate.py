"""100 and 500 small real migrations: nlctl beside psycopg alone, the Supabase CLI and dbmate."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bench import migrate_workshop, stopwatch
from bench.migrate_workshop import Workshop, fresh, others, time_on_fresh
from nlctl import console
from nlctl import project as projects
from tests import databases, npm, products

if TYPE_CHECKING:
    from collections.abc import Callable

    from nlctl.local.cluster import Cluster

COUNTS = (100, 500)
HERE = Path(__file__).parents[1]
PARTS = ("nlctl.toml", "lints.toml", "migrations", "seeds", "supabase")
NLCTL = (sys.executable, "-m", "nlctl")


def apply(cluster: Cluster, workshop: Workshop, runs: int) -> None:
    """Files from none to all, in one process and as people type it."""
    timed = partial(partial, time_on_fresh, cluster)
    stopwatch.compare(
        {
            "psycopg, a transaction a file": timed(workshop.apply_plainly),
            "nlctl's engine": timed(workshop.apply_with_engine),
        },
        runs,
    )
    stopwatch.compare(
        {
            "the same psycopg, from its start": timed(workshop.type_plainly),
            "nlctl migrate up": timed(workshop.type_nlctl),
            **{name: timed(partial(act, workshop)) for name, act in others().items()},
        },
        runs,
    )


def repeat(cluster: Cluster, workshop: Workshop, runs: int) -> None:
    """With nothing left to do, each tool in the database that it filled itself."""
    acts = {**others(), "nlctl migrate up": Workshop.type_nlctl}
    timed: dict[str, Callable[[], float]] = {}
    for name, act in acts.items():
        database = databases.create(cluster, template=migrate_workshop.TEMPLATE)
        act(workshop, database.url)
        timed[f"{name}, nothing to do"] = partial(
            stopwatch.time, partial(act, workshop, database.url)
        )
    stopwatch.compare(timed, runs)


def ask_for_help(runs: int) -> None:
    """How soon each tool answers at all."""
    commands = {"nlctl --help": [*NLCTL, "--help"]}
    if others():
        commands = {"supabase --help": [str(npm.program("supabase")), "--help"], **commands}
    run = partial(subprocess.run, check=True, capture_output=True)
    stopwatch.compare(
        {
            name: partial(stopwatch.time, partial(run, command))
            for name, command in commands.items()
        },
        runs,
    )


def prepare_tests(cluster: Cluster, runs: int) -> None:
    """A database for a test: everything applied again, or copied."""
    here = projects.at(HERE)
    template = databases.create(cluster, template=migrate_workshop.TEMPLATE)
    products.install(template, here)

    def apply_again() -> float:
        with fresh(cluster) as database:
            return stopwatch.time(partial(products.install, database, here))

    def copy() -> float:
        begin = stopwatch.time(lambda: made.append(databases.clone(template)))
        databases.drop(made.pop())
        return begin

    made: list[databases.Database] = []
    stopwatch.compare({"a test database, applied": apply_again, "copied": copy}, runs)


def bring_up(runs: int) -> None:
    """This project from an empty folder, and what `check` takes on it."""
    run = partial(subprocess.run, check=True, capture_output=True)
    with tempfile.TemporaryDirectory() as folder:
        for part in PARTS:
            source = HERE / part
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, Path(folder) / part)
        type_here = partial(run, cwd=folder)

        def from_nothing() -> float:
            shutil.rmtree(Path(folder) / ".nlctl", ignore_errors=True)
            return stopwatch.time(partial(type_here, [*NLCTL, "up"]))

        def down() -> None:
            type_here([*NLCTL, "down"])

        def up_from_nothing() -> float:
            down()
            return from_nothing()

        from_nothing()
        try:
            stopwatch.compare(
                {
                    "nlctl up, from nothing": up_from_nothing,
                    "nlctl up again": partial(stopwatch.time, partial(type_here, [*NLCTL, "up"])),
                    "nlctl migrate check": partial(
                        stopwatch.time, partial(type_here, [*NLCTL, "migrate", "check"])
                    ),
                },
                runs,
            )
        finally:
            down()


def main() -> None:
    """Make a server on memory, measure, throw it away."""
    runs = stopwatch.runs(5, __doc__)
    with migrate_workshop.server() as cluster:
        for count in COUNTS:
            with tempfile.TemporaryDirectory() as folder:
                workshop = Workshop(Path(folder))
                workshop.write(count)
                console.say(f"\n{count} files")
                apply(cluster, workshop, runs)
                repeat(cluster, workshop, runs)
        console.say()
        ask_for_help(4 * runs)
        prepare_tests(cluster, runs)
    bring_up(max(1, runs // 2))


if __name__ == "__main__":
    main()
