"""Every function of the formations, and the pages read without one, on 1,000,000 cards.

Each in turn by hand (what somebody would write for the same, as superuser: without policies and
without our functions, but with the same locks, on the same tables with their triggers), in SQL as
the person who asks, and through the Data API; here, and where there are 10,000 cards.
"""

from __future__ import annotations

import argparse
import random
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING

from bench.data_api import served
from bench.formations_asked import Place, read_questions
from nlctl import console
from nlctl import project as projects
from nlctl.local.cluster import SUPERUSER
from tests import databases, products

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.formations_asked import Question
    from tests.databases import Database

ROWS = Path(__file__).with_name("formations_rows.sql")
FEW = 10_000
WARM_UP_RUNS = 8  # plans are settled after five, those inside functions too
IN_A_ROW = 4
COMPARED = (("by_hand", "in_sql"), ("by_hand_as_json", "in_http", "of_nothing"))
"""The ways that take turns, by their names in `Place` and `Taken`."""
COLUMNS = (
    "", "by hand", "SQL p50", "p95", "ratio", "growth", "by hand", "HTTP p50", "p95", "ratio",
)  # fmt: skip


@dataclass
class Taken:
    """Milliseconds that one question took in one place, run by run."""

    by_hand: list[float] = field(default_factory=list)
    in_sql: list[float] = field(default_factory=list)
    by_hand_as_json: list[float] = field(default_factory=list)
    in_http: list[float] = field(default_factory=list)
    of_nothing: list[float] = field(default_factory=list)

    def run(
        self, place: Place, ways: tuple[str, ...], question: Question, rows: list[dict[str, object]]
    ) -> None:
        """Ask in these ways, in any order, each once to be warm and then for these rows."""
        for way in random.sample(ways, len(ways)):
            ask, times = getattr(place, way), getattr(self, way)
            ask(question, rows[0])
            times.extend(ask(question, row) * 1000 for row in rows)

    def forget(self, ways: tuple[str, ...]) -> None:
        """Leave out what was only to warm up."""
        for way in ways:
            getattr(self, way).clear()


def fill(database: Database, rows: int) -> None:
    """Put that many cards into a database, and all that belongs to them."""
    with database.connect(SUPERUSER) as admin:
        admin.execute("select set_config('bench.rows', %s, false)", [str(rows)])
        admin.execute(ROWS.read_bytes())
        admin.execute("vacuum analyze")


@contextmanager
def places(base: Database, volumes: tuple[int, ...]) -> Iterator[list[Place]]:
    """A database for each volume, with a gateway in a process of its own."""
    with ExitStack() as running:
        found = []
        for rows in volumes:
            database = databases.clone(base)
            fill(database, rows)
            command = [sys.executable, "-m", "bench.data_api_server", database.authenticator_url]
            place = Place(database, running.enter_context(served(command)))
            running.callback(place.close)
            found.append(place)
        yield found


def time(question: Question, where: list[Place], runs: int) -> list[Taken]:
    """Ask everywhere in turn, a few times in a row: a busy machine slows what is compared."""
    taken = [Taken() for _ in where]
    rows = [place.rows(question, WARM_UP_RUNS + runs) for place in where]
    for place, samples in zip(where, rows, strict=True):
        place.check(question, samples[0])
    for ways, begin in product(COMPARED, range(0, WARM_UP_RUNS + runs, IN_A_ROW)):
        for place, samples, times in zip(where, rows, taken, strict=True):
            if begin == WARM_UP_RUNS:
                times.forget(ways)
            times.run(place, ways, question, samples[begin : begin + IN_A_ROW])
    return taken


def line(question: Question, few: Taken, many: Taken) -> tuple[str, ...]:
    """The columns of one question; the limit over HTTP is by hand after a call of nothing."""
    limit, in_sql, in_http = map(_quiet, (many.by_hand, many.in_sql, many.in_http))
    http_limit = _quiet(many.by_hand_as_json) + _quiet(many.of_nothing)
    return (
        question.name,
        f"{median(many.by_hand):.2f}",
        f"{median(many.in_sql):.2f}",
        f"{_p95(many.in_sql):.2f}",
        f"{in_sql / limit:.2f}",
        f"{in_sql / _quiet(few.in_sql):.1f}",
        f"{limit / _quiet(few.by_hand):.1f}",
        f"{median(many.in_http):.2f}",
        f"{_p95(many.in_http):.2f}",
        f"{in_http / http_limit:.2f}",
    )


def _p95(times: list[float]) -> float:
    return quantiles(times, n=20)[-1]


def _quiet(times: list[float]) -> float:
    """The first quartile, for ratios: of a busy machine the slower half tells little else."""
    return quantiles(times, n=4)[0]


def measure(base: Database, rows: int, runs: int, named: str) -> None:
    """Print one line a question."""
    questions = read_questions(named)
    lines, nothing = [], []
    with (
        places(base, (FEW, rows)) as where,
        console.progress("Asking", len(questions)) as advance,
    ):
        for question in questions:
            few, many = time(question, where, runs)
            lines.append(line(question, few, many))
            nothing.append(_quiet(many.of_nothing))
            advance(question.name)
    console.say_table(COLUMNS, lines)
    console.say(
        f"Milliseconds with {rows:,} cards, {runs} runs each; growth from {FEW:,}; "
        "ratios and growth of first quartiles. "
        f"A call of nothing takes {median(nothing):.2f} through the Data API."
    )


def main() -> None:
    """Make a server on memory, measure, throw it away."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="cards, 1,000,000 by default")
    parser.add_argument("--runs", type=int, default=40, help="40 by default")
    parser.add_argument(
        "--only", default="", metavar="NAME", help="questions with this in the name"
    )
    asked = parser.parse_args()
    project = projects.find()
    cluster = databases.start_cluster()
    try:
        base = databases.create(cluster)
        products.install(base, project)
        products.make_buckets(base, project)
        # What people write here is undone by their own wish.
        base.run("alter role authenticator set pgrst.db_tx_end = 'commit-allow-override'")
        measure(base, asked.rows, asked.runs, asked.only)
    finally:
        databases.destroy_cluster(cluster)


if __name__ == "__main__":
    main()
