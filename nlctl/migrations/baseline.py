"""Baseline: adopt a database that has what the files make, but not the history of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlctl.errors import BaselineRefused, MigrationConflict
from nlctl.migrations import drift, plan, repair, status
from nlctl.migrations.repair import Verdict
from nlctl.migrations.status import State

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nlctl.local.scratch import Scratch
    from nlctl.migrations.drift import Database
    from nlctl.migrations.status import Entry


def choose(of: Database, to: str | None = None) -> tuple[Entry, ...]:
    """The files up to version `to`; refuses where the history contradicts one of them."""
    entries = status.read(of.url, of.folder, of.project)
    disputed = [e for e in entries if e.state in {State.CHANGED, State.MISSING, State.FAILED}]
    if disputed:
        labels = ", ".join(f"{entry.label} ({entry.state})" for entry in disputed)
        raise MigrationConflict(
            f"Files and history disagree: {labels}. Nothing was recorded.",
            hint="See: nlctl migrate status",
        )
    return tuple(plan.up_to(entries, to))


def prove(of: Database, chosen: Sequence[Entry], scratch: Scratch) -> None:
    """Refuse unless the database is exactly what the chosen files make."""
    with drift.folder_of(chosen) as folder:
        found = drift.compare(of.url, folder, of.project, scratch).differences
    if found:
        lines = "".join(f"\n    {difference}" for difference in found)
        raise BaselineRefused(
            f"The database is not what the files make of it. Nothing was recorded.{lines}",
            hint="Mend these (nlctl migrate check --sql once they are recorded), choose another "
            "--to, or record without the proof: --without-proof",
        )


def record(
    of: Database, chosen: Sequence[Entry], notice: Callable[[str], None]
) -> tuple[Entry, ...]:
    """Write that the files are applied, those that were not yet; none is run."""
    new = tuple(entry for entry in chosen if entry.state is not State.APPLIED)
    versions = [entry.version for entry in new]
    repair.repair(of.url, of.folder, of.project, versions, Verdict.APPLIED, notice=notice)
    return new
