"""The Data API by key and by function under row level security, beside the driver's own limit.

The limit is psycopg in pipeline mode: the same settings, role, statement and database, with no
HTTP and nobody to answer to. Of several runs in turn the quickest of each counts, because what else
the machine does only ever makes them slower. With one connection processes take turns: on one core
it is their work that is measured, on several also how long a core takes to wake.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from bench import cores
from nlctl import console
from nlctl.local import keys, platform
from tests import databases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.databases import Database

ONE_CORE = "1, one core"
CONNECTIONS = {ONE_CORE: 1, "1": 1, "8": 8, "32": 32}
SUBJECTS = ("get", "rpc")
LITE = Path(__file__).with_name("data_api_lite.mjs")
OWNER = "7b0b5f62-8f8e-4f8e-9b1b-0a3c2d1e4f5a"
CLAIMS = {"role": "authenticated", "sub": OWNER, "aud": "authenticated", "aal": "aal1"}
"""Who asks."""

SCHEMA = f"""
create table public.readings (
  id int primary key,
  owner uuid not null,
  label text not null,
  value numeric not null,
  taken_at timestamptz not null default now()
);
alter table public.readings enable row level security;
create policy readings_select_own on public.readings for select to authenticated
  using (owner = (select auth.uid()));
grant select on public.readings to authenticated;
insert into public.readings (id, owner, label, value)
select n, case when n % 2 = 0 then '{OWNER}'::uuid else gen_random_uuid() end,
  'reading ' || n, n / 7.0
from generate_series(1, 20000) as n;
create function public.mean_value(p_first int, p_last int) returns numeric language sql stable
  as 'select avg(value) from public.readings where id between p_first and p_last';
analyze public.readings;
"""


@dataclass(frozen=True)
class Measure:
    """What one run of a load gave."""

    per_second: float
    quick_ms: float
    """What the quickest tenth stays under: hardly anything else was at work then."""
    median_ms: float
    slowest_ms: float
    """Of the quickest 99 %."""

    @classmethod
    def of(cls, module: str, *arguments: object) -> Measure:
        """Run `module` in a process of its own and read what it measured."""
        command = [sys.executable, "-m", module, *map(str, arguments)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return cls(**json.loads(done.stdout))

    def row(self, limit: Measure) -> tuple[str, ...]:
        """The columns of the table, with the share of the limit."""
        return (
            f"{self.per_second:.0f}",
            f"{self.per_second / limit.per_second:.2f}",
            f"{self.quick_ms:.2f}",
            f"{self.median_ms:.2f}",
            f"{self.slowest_ms:.2f}",
            f"{self.slowest_ms / self.median_ms:.1f}",
        )


@contextmanager
def served(command: list[str], **settings: Any) -> Iterator[str]:
    """A server in a process of its own; where it says that it answers."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **settings)
    try:
        if process.stdout is None:
            raise RuntimeError("The server has no output.")
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@contextmanager
def servers(database: Database, lite: Path | None) -> Iterator[dict[str, str]]:
    """Those to measure, by name: ours, and @supabase/lite where a folder has it installed."""
    ours = [sys.executable, "-m", "bench.data_api_server", database.authenticator_url]
    with ExitStack() as running:
        urls = {"gateway": running.enter_context(served(ours))}
        if lite:
            program = running.enter_context(LITE.open())
            theirs = ["node", "--input-type=module", "-", database.url, keys.JWT_SECRET]
            urls["lite"] = running.enter_context(served(theirs, cwd=lite, stdin=program))
        yield urls


def measure(database: Database, lite: Path | None, rounds: int, seconds: float) -> None:
    """Print one line for each subject, number of connections and server, beside the limit."""
    rows = []
    with servers(database, lite) as urls:
        loads = {"limit": ("bench.data_api_limit", database.authenticator_url)}
        loads |= {name: ("bench.data_api_load", url) for name, url in urls.items()}
        for subject, (how, connections) in product(SUBJECTS, CONNECTIONS.items()):
            with placed(database, how):
                best = best_of(rounds, loads, subject, connections, seconds)
            for name, measured in best.items():
                rows.append((subject, how, name, *measured.row(best["limit"])))
    console.say_table(
        ("", "connections", "", "per second", "ratio", "p10 ms", "p50 ms", "p99 ms", "p99/p50"),
        rows,
    )


@contextmanager
def placed(database: Database, how: str) -> Iterator[None]:
    """On all cores, or where everybody takes turns anyway, on one."""
    if how != ONE_CORE:
        yield
        return
    with psycopg.connect(database.url) as connection, cores.shared(connection):
        yield


def best_of(rounds: int, loads: dict[str, tuple[str, str]], *run: object) -> dict[str, Measure]:
    """The quickest run of each load; they take turns, so that nobody has the quiet moments."""
    runs = [
        {name: Measure.of(module, url, *run) for name, (module, url) in loads.items()}
        for _ in range(rounds)
    ]
    return {name: max((run[name] for run in runs), key=_pace) for name in loads}


def _pace(measured: Measure) -> float:
    return measured.per_second


def main() -> None:
    """Make a server on memory, measure, throw it away."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each run, 1 by default")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each, 5 by default")
    parser.add_argument(
        "--lite",
        type=Path,
        metavar="FOLDER",
        help="where npm has put @supabase/lite, postgres and @hono/node-server",
    )
    asked = parser.parse_args()
    cluster = databases.start_cluster()
    try:
        database = databases.create(cluster)
        platform.install(database.admin_url)
        with psycopg.connect(database.url) as connection:
            connection.execute(SCHEMA.encode())
        measure(database, asked.lite, asked.rounds, asked.seconds)
    finally:
        databases.destroy_cluster(cluster)


if __name__ == "__main__":
    main()
