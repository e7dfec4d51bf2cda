"""The order in which seeds can be written."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from nlctl.errors import SeedCycle

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nlctl.seeds.files import Seed


def in_order(seeds: Iterable[Seed], references: Mapping[str, frozenset[str]]) -> list[Seed]:
    """Parents before children. `references` maps a table to the tables it points at."""
    by_table = {seed.table: seed for seed in seeds}
    sorter = TopologicalSorter(
        {table: sorted(references.get(table, frozenset()) - {table}) for table in sorted(by_table)}
    )
    try:
        return [by_table[table] for table in sorter.static_order() if table in by_table]
    except CycleError as error:
        circle = " → ".join(error.args[1])
        raise SeedCycle(
            f"These seeded tables point at each other: {circle}. Nothing was written.",
            hint="Write one of them in a .sql seed.",
        ) from error
