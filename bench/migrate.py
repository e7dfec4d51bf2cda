"""100 migrations of one table each: nlctl beside one plain psycopg transaction a file."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from bench import stopwatch
from nlctl.local import platform
from nlctl.migrations import runner
from tests import databases

if TYPE_CHECKING:
    from collections.abc import Callable

    from nlctl.local.cluster import Cluster
    from tests.databases import Database

FILES = 100
TABLE = """create table public.table_{number} (
  id bigint generated always as identity primary key,
  name text not null,
  created_at timestamptz not null default now()
);
"""
SETTINGS = """
[projects.bench]
migrations = "migrations"
[targets.bench]
project = "bench"
production = false
"""
TEMPLATE = "template_bench"


def write_project(root: Path) -> None:
    """A project with nothing but migrations."""
    (root / "nlctl.toml").write_text(SETTINGS)
    (root / "migrations").mkdir()
    for number in range(FILES):
        path = root / "migrations" / f"{20260101000000 + number}_table_{number}.sql"
        path.write_text(TABLE.format(number=number))


def apply_plainly(root: Path, url: str) -> None:
    """What anybody would write in five lines, without a history."""
    with psycopg.connect(url) as connection:
        for path in sorted((root / "migrations").glob("*.sql")):
            connection.execute(path.read_bytes())
            connection.commit()


def apply_with_engine(root: Path, url: str) -> None:
    """The engine alone, in this process."""
    runner.up(url, root / "migrations", "bench")


def apply_with_command(root: Path, url: str) -> None:
    """The command as it is typed, Python's start included."""
    subprocess.run(
        [sys.executable, "-m", "nlctl", "migrate", "up", "--target", "bench"],
        cwd=root,
        env={**os.environ, "NLCTL_BENCH_DATABASE_URL": url},
        check=True,
        capture_output=True,
    )


def on_new_database(cluster: Cluster, act: Callable[[str], None]) -> float:
    """Seconds that `act` takes on a database of its own."""
    database = databases.create(cluster, template=TEMPLATE)
    try:
        return stopwatch.time(partial(act, database.url))
    finally:
        databases.drop(database)


def measure(root: Path, cluster: Cluster, up_to_date: Database, runs: int) -> None:
    """Print the table."""
    acts = {
        "psycopg, a transaction a file": partial(apply_plainly, root),
        "nlctl's engine": partial(apply_with_engine, root),
        "nlctl migrate up": partial(apply_with_command, root),
    }
    timed = {name: partial(on_new_database, cluster, act) for name, act in acts.items()}
    idle = partial(apply_with_command, root, up_to_date.url)
    stopwatch.compare({**timed, "nothing to do": partial(stopwatch.time, idle)}, runs)


def main() -> None:
    """Make a server on memory, measure, throw it away."""
    runs = stopwatch.runs(5, __doc__)
    cluster = databases.start_cluster()
    try:
        template = databases.create(cluster, name=TEMPLATE)
        platform.install(template.admin_url)
        up_to_date = databases.create(cluster, template=TEMPLATE)
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            write_project(root)
            apply_with_engine(root, up_to_date.url)
            measure(root, cluster, up_to_date, runs)
    finally:
        databases.destroy_cluster(cluster)


if __name__ == "__main__":
    main()
