"""Storage with policies, beside a bare Starlette endpoint that keeps files just as safely.

They take turns, and the median of each counts: a disk is quick for a while and slow for a while,
and the quickest run of each would compare two moods of it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import psycopg

from nlctl import console
from nlctl.local import platform
from tests import databases

if TYPE_CHECKING:
    from collections.abc import Iterator

OWNER = "7b0b5f62-8f8e-4f8e-9b1b-0a3c2d1e4f5a"
MEBIBYTE = 1024 * 1024
LOADS = (("1,000 × 10 kB", 1000, 10_000, 8), ("4 × 256 MB", 4, 256 * MEBIBYTE, 2))
ONE_GIGABYTE = ("1 × 1 GB", 1, 1024 * MEBIBYTE, 1)

SCHEMA = """
insert into storage.buckets (id, name) values ('bench', 'bench');
create policy own_insert on storage.objects for insert to authenticated with check (
  bucket_id = 'bench' and owner_id = (select auth.uid())::text);
create policy own_select on storage.objects for select to authenticated using (
  bucket_id = 'bench' and owner_id = (select auth.uid())::text);
"""


@contextmanager
def served(module: str, *arguments: object) -> Iterator[tuple[str, int]]:
    """A server in a process of its own: where it keeps objects, and its process id."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        if process.stdout is None:
            raise RuntimeError("The server has no output.")
        yield process.stdout.readline().strip(), process.pid
    finally:
        process.terminate()
        process.wait()


def load(url: str, act: str, prefix: str, count: int, size: int, connections: int) -> float:
    """Seconds that a load took; the names of its objects begin with `prefix`."""
    arguments = [url, act, prefix, *map(str, (count, size, connections))]
    command = [sys.executable, "-m", "bench.storage_load", *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(json.loads(done.stdout))


def measure(database_url: str, folder: Path, runs: int, *, gigabyte: bool) -> None:
    """Print one line for each load and direction, then how much memory Storage took."""
    bare_folder = folder / "bare"
    bare_folder.mkdir()
    rows = []
    with (
        served("bench.storage_bare", bare_folder) as (bare, _),
        served("bench.storage_server", database_url, folder / "ours") as (ours, process),
    ):
        before = memory(process)
        for what, *shape in [*LOADS, *([ONE_GIGABYTE] if gigabyte else [])]:
            for act in ("upload", "download"):
                pairs = [
                    (load(bare, act, f"{run}-", *shape), load(ours, act, f"{run}-", *shape))
                    for run in range(runs)
                ]
                limit, taken = (median(side) for side in zip(*pairs, strict=True))
                rows.append((what, act, f"{limit:.2f}", f"{taken:.2f}", f"{limit / taken:.2f}"))
        after = memory(process)
    console.say_table(("", "", "bare s", "storage s", "ratio"), rows)
    console.say(f"Memory of Storage at its highest: {before} MB idle, {after} MB after all of it.")


def memory(process: int) -> int:
    """The most that a process has had in memory, in MB; Linux tells."""
    status = Path(f"/proc/{process}/status").read_text()
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) // 1024


def main() -> None:
    """Make a server on memory, measure, throw it away."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where objects are kept; a temporary one")
    parser.add_argument("--gigabyte", action="store_true", help="one object of 1 GB as well")
    parser.add_argument("--runs", type=int, default=5, help="the median counts, 5 by default")
    given = parser.parse_args()
    cluster = databases.start_cluster()
    try:
        database = databases.create(cluster)
        platform.install(database.admin_url)
        with psycopg.connect(database.url) as connection:
            connection.execute(SCHEMA.encode())
        url = cluster.url(database.name, "supabase_storage_admin")
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            measure(url, Path(folder), given.runs, gigabyte=given.gigabyte)
    finally:
        databases.destroy_cluster(cluster)


if __name__ == "__main__":
    main()
