"""Realtime: one speaker and many listeners, beside what `websockets` alone does in one process.

Then from a commit to every client, of a broadcast and of a row that policies show to each, and how
long thousands take to join private channels.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlctl import console
from nlctl.local import binaries, platform
from nlctl.local.cluster import Cluster
from tests import databases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.databases import Database

SUBSCRIBERS = (200, 1000, 2000)
LISTENERS_OF_SQL = (1, 200)
MESSAGES_FROM_SQL = 300
CHANNELS = 2000
JOINS = ((CHANNELS, 1), (CHANNELS // 100, 100))
POLICIES = """
create policy messages_select_rooms on realtime.messages for select to authenticated
  using ((select realtime.topic()) like 'room:%');
create table public.notes (
  id bigint generated always as identity primary key,
  owner_id uuid,
  content jsonb not null
);
alter table public.notes enable row level security;
create policy notes_select_own_or_open on public.notes for select to authenticated
  using (owner_id is null or owner_id = (select auth.uid()));
grant select on public.notes to authenticated;
alter publication supabase_realtime add table public.notes;
"""


@dataclass(frozen=True)
class Server:
    """A server in a process of its own."""

    address: str
    pid: int

    def measure(self, act: str, *arguments: object) -> dict[str, float]:
        """Put a load on it, in a process of its own."""
        command = [sys.executable, "-m", "bench.realtime_load", act, self.address]
        done = subprocess.run(
            [*command, *map(str, arguments)], check=True, capture_output=True, text=True
        )
        measured: dict[str, float] = json.loads(done.stdout)
        return measured


@contextmanager
def served(module: str, *arguments: str) -> Iterator[Server]:
    """Run a server until the end of the block."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None:
                raise RuntimeError("The server has no output.")
            yield Server(process.stdout.readline().strip(), process.pid)
        finally:
            process.terminate()


def talk(url: str, runs: int, seconds: float) -> None:
    """Fan-out, in turn: the median of the runs, and its share of the limit."""
    rows = []
    for size in SUBSCRIBERS:
        results: dict[str, list[dict[str, float]]] = {"websockets": [], "realtime": []}
        for _ in range(runs):
            with served("bench.realtime_bare") as bare:
                told = bare.measure("talk", bare.pid, "bare", size, seconds)
                results["websockets"].append(told)
            with served("bench.realtime_server", url) as ours:
                told = ours.measure("talk", ours.pid, "realtime", size, seconds)
                results["realtime"].append(told)
        limit = middle(results["websockets"])
        for name, measured in results.items():
            rows.append((str(size), name, *row(middle(measured), limit)))
    columns = ("per second", "ratio", "per busy second", "ratio", "p50 ms", "p99 ms")
    console.say_table(("subscribers", "", *columns), rows)


def middle(measured: list[dict[str, float]]) -> dict[str, float]:
    """The median of each number."""
    return {name: statistics.median(each[name] for each in measured) for name in measured[0]}


def row(told: dict[str, float], limit: dict[str, float]) -> tuple[str, ...]:
    """The columns of one server."""
    return (
        f"{told['per_second']:.0f}",
        f"{told['per_second'] / limit['per_second']:.2f}",
        f"{told['per_busy_second']:.0f}",
        f"{told['per_busy_second'] / limit['per_busy_second']:.2f}",
        f"{told['median_ms']:.1f}",
        f"{told['slowest_ms']:.1f}",
    )


def commit(server: Server, database: Database) -> None:
    """From a commit to the clients."""
    rows = []
    for size in LISTENERS_OF_SQL:
        for what, act in (("broadcast", "commit"), ("changed row", "change")):
            told = server.measure(act, database.url, size, MESSAGES_FROM_SQL)
            rows.append((str(size), what, f"{told['median_ms']:.1f}", f"{told['slowest_ms']:.1f}"))
    console.say_table(("subscribers", "from SQL", "p50 ms", "p99 ms"), rows)


def join(server: Server) -> None:
    """Private channels, one to a socket and a hundred to a socket."""
    rows = []
    for sockets, channels in JOINS:
        told = server.measure("join", sockets, channels)
        rows.append((str(sockets), str(sockets * channels), f"{told['seconds']:.1f}"))
    console.say_table(("sockets", "private channels", "joined in s"), rows)


def main() -> None:
    """Make a server on memory, measure, throw it away."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="of each server, 3 by default")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each run, 3 by default")
    asked = parser.parse_args()
    home = databases.scratch_folder() / "database"
    cluster = Cluster(home, binaries.find())  # a lax one would keep commits to itself for a while
    cluster.start(databases.FIRST_PORT)
    try:
        database = databases.create(cluster)
        platform.install(database.admin_url)
        database.run(POLICIES)
        talk(database.realtime_admin_url, asked.runs, asked.seconds)
        with served("bench.realtime_server", database.realtime_admin_url) as server:
            commit(server, database)
            join(server)
    finally:
        databases.destroy_cluster(cluster)


if __name__ == "__main__":
    main()
