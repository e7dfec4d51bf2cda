"""The Data API by key and by function under row level security, beside the driver's own limit.

The limit is psycopg in pipeline mode: the same settings, role, statement and database, with no
HTTP and nobody to answer to.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from nlctl import console
from nlctl.local import platform
from tests import databases

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECTIONS = (1, 8, 32)
SUBJECTS = ("get", "rpc")
OWNER = "7b0b5f62-8f8e-4f8e-9b1b-0a3c2d1e4f5a"

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
    median_ms: float
    slowest_ms: float
    """Of the quickest 99 %."""

    @classmethod
    def of(cls, module: str, *arguments: object) -> Measure:
        """Run `module` in a process of its own and read what it measured."""
        command = [sys.executable, "-m", module, *map(str, arguments)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return cls(**json.loads(done.stdout))


@contextmanager
def served(url: str) -> Iterator[str]:
    """The gateway on `url`, in a process of its own; where it answers."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.data_api_server", url], stdout=subprocess.PIPE, text=True
    )
    try:
        if process.stdout is None:
            raise RuntimeError("The server has no output.")
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


def measure(url: str, seconds: float) -> None:
    """Print one line for each subject and number of connections."""
    rows = []
    with served(url) as gateway:
        for subject in SUBJECTS:
            for connections in CONNECTIONS:
                limit = Measure.of("bench.data_api_limit", url, subject, connections, seconds)
                ours = Measure.of("bench.data_api_load", gateway, subject, connections, seconds)
                rows.append(
                    (
                        subject,
                        str(connections),
                        f"{limit.per_second:.0f}",
                        f"{ours.per_second:.0f}",
                        f"{ours.per_second / limit.per_second:.2f}",
                        f"{ours.median_ms:.2f}",
                        f"{ours.slowest_ms:.2f}",
                        f"{ours.slowest_ms / ours.median_ms:.1f}",
                    )
                )
    console.say_table(
        ("", "connections", "limit /s", "gateway /s", "ratio", "p50 ms", "p99 ms", "p99/p50"), rows
    )


def main() -> None:
    """Make a server on memory, measure, throw it away."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each run, 3 by default")
    seconds = parser.parse_args().seconds
    cluster = databases.start_cluster()
    try:
        database = databases.create(cluster)
        platform.install(database.admin_url)
        with psycopg.connect(database.url) as connection:
            connection.execute(SCHEMA.encode())
        measure(database.authenticator_url, seconds)
    finally:
        databases.destroy_cluster(cluster)


if __name__ == "__main__":
    main()
