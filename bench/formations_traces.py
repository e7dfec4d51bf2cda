"""What a transaction has written, so that two ways of writing the same can be compared."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg

COUNTS = """
select relid::regclass::text, n_tup_ins, n_tup_upd, n_tup_del
from pg_stat_xact_all_tables
where schemaname in ('public', 'realtime', 'procrastinate')
"""
# Nobody else writes meanwhile: whatever is as new as this transaction is its own.
ROWS = "select (to_jsonb(r) - 'updated_at')::text from {table} as r where xmin::text::bigint >= %s"
# What no two runs have in common: moments, and what is drawn or counted for a new row.
CHANCE = re.compile(
    r"\d{4}-\d\d-\d\d[T ][\d:.]+([+-][\d:]+)?"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    r"|(?<=[a-z]-)[0-9a-f]{8}(?=\")"
    r"|(?<=\"id\": )\d+|(?<=\"job_id\": )\d+"
)
Counts = Counter[tuple[str, str]]


@dataclass(frozen=True)
class Trace:
    """How many rows were added, changed and deleted, and how those that remain read now."""

    counts: Counts
    rows: Counter[str]


class Tracer:
    """Begin it before anything is written, on the connection of a superuser."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        found = connection.execute("select pg_current_xact_id()::xid::text::bigint").fetchone()
        self._transaction = found[0] if found else 0
        self._before = self._counts()

    def stop(self) -> Trace:
        """What there is to see by now."""
        counts = self._counts() - self._before
        tables = sorted({table for table, _ in counts})
        return Trace(counts, Counter(row for table in tables for row in self._rows(table)))

    def _counts(self) -> Counts:
        found: Counts = Counter()
        for table, *numbers in self._connection.execute(COUNTS):
            found.update(
                {
                    (table, verb): number
                    for verb, number in zip(("insert", "update", "delete"), numbers, strict=True)
                }
            )
        return found

    def _rows(self, table: str) -> list[str]:
        query = ROWS.format(table=table).encode()
        found = self._connection.execute(query, [self._transaction])
        return [f"{table} {masked(row)}" for (row,) in found]


def masked(text: str) -> str:
    """The same without what chance has put into it."""
    return CHANCE.sub("…", text)


def difference(asked: Trace, by_hand: Trace) -> str:
    """What by hand leaves out or does besides; empty when it does the same, or in fewer updates."""
    missing, besides = asked.rows - by_hand.rows, by_hand.rows - asked.rows
    told = [f"missing {row}" for row in missing] + [f"besides {row}" for row in besides]
    for table, verb in sorted(asked.counts | by_hand.counts):
        here, there = asked.counts[table, verb], by_hand.counts[table, verb]
        if there > here or (there < here and verb != "update"):
            told.append(f"{table}: {there} {verb}s by hand, {here} else")
    return "\n".join(told)
