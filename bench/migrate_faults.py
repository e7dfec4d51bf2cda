"""`nlctl migrate up` killed at 200 random moments, and 50 rounds of 16 that start together."""

from __future__ import annotations

import random
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench import migrate_workshop, stopwatch
from nlctl import console
from tests import ledgers, workshops

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlctl.local.cluster import Cluster
    from tests.workshops import Workshop

KILLS, FILES = 200, 150
ROUNDS, RUNNERS, FILES_A_ROUND = 50, 16, 3


@contextmanager
def workshop(cluster: Cluster, files: int) -> Iterator[Workshop]:
    """A database and a folder whose every file leaves a line in a ledger."""
    with tempfile.TemporaryDirectory() as folder, migrate_workshop.fresh(cluster) as database:
        made = workshops.open_at(Path(folder), database)
        ledgers.write(made, files)
        yield made


def kill(cluster: Cluster) -> None:
    """Kill it anywhere between its start and its end; each time the books must agree."""
    chance = random.Random(5)
    killed = torn = finished = 0
    while killed < KILLS:
        with workshop(cluster, FILES) as made:
            made.up(to="1")
            whole = stopwatch.time(lambda: made.start("up", "--dry-run").communicate())
            applied = 1
            while applied < FILES and killed < KILLS:
                process = made.start("up")
                time.sleep(chance.uniform(0, whole))
                process.kill()
                process.communicate()
                killed += process.returncode != 0
                history, ours, ledger = ledgers.read(made)
                torn += not history == ours == ledger
                applied = len(ledger)
            last = made.start("up")
            last.communicate()
            finished += last.returncode == 0 and ledgers.read(made)[2] == list(range(1, FILES + 1))
            torn += last.returncode != 0
    console.say(f"{killed} kills: {torn} torn; {finished} databases finished afterwards")


def run_together(cluster: Cluster) -> None:
    """Start many at once; each must succeed, and each file be applied once."""
    failed = doubled = 0
    for _ in range(ROUNDS):
        with workshop(cluster, FILES_A_ROUND) as made:
            processes = [made.start("up") for _ in range(RUNNERS)]
            for process in processes:
                process.communicate()
            failed += sum(process.returncode != 0 for process in processes)
            versions = list(range(1, FILES_A_ROUND + 1))
            doubled += list(ledgers.read(made)) != [versions] * 3
    console.say(
        f"{ROUNDS} rounds of {RUNNERS}: {failed} failed; {doubled} rounds not each file once"
    )


def main() -> None:
    """Make a server on memory, kill and run together, throw it away."""
    with migrate_workshop.server() as cluster:
        kill(cluster)
        run_together(cluster)


if __name__ == "__main__":
    main()
