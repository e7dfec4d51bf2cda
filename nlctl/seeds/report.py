"""What an application of seeds did, or would do."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["insert", "update", "delete"]


@dataclass(frozen=True)
class Change:
    """One row: its key, and each changed column's old and new value."""

    table: str
    kind: Kind
    key: Mapping[str, Any]
    fields: Mapping[str, tuple[Any, Any]]
    place: str | None


@dataclass(frozen=True)
class TableReport:
    """How many rows of one table were written, and how many already stood as the files say."""

    table: str
    inserted: int
    updated: int
    deleted: int
    unchanged: int


@dataclass(frozen=True)
class ScriptReport:
    """A .sql seed and how many rows its statements wrote."""

    name: str
    rows: int


@dataclass(frozen=True)
class Report:
    """Every change in the order it was written; `scripts` holds what .sql seeds wrote."""

    changes: tuple[Change, ...]
    rows: Mapping[str, int]
    scripts: tuple[ScriptReport, ...] = ()

    @property
    def tables(self) -> list[TableReport]:
        """One line for each seeded table, in the order they were written."""
        counts = Counter((change.table, change.kind) for change in self.changes)
        return [
            TableReport(
                table=table,
                inserted=counts[table, "insert"],
                updated=counts[table, "update"],
                deleted=counts[table, "delete"],
                unchanged=rows - counts[table, "insert"] - counts[table, "update"],
            )
            for table, rows in self.rows.items()
        ]
