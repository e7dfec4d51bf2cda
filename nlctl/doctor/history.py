"""History: whether the database has the migrations that the files tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlctl.doctor.findings import Finding, Status, ok
from nlctl.errors import NlctlError
from nlctl.migrations import status
from nlctl.migrations.status import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nlctl.migrations.status import Entry
    from nlctl.project import Project
    from nlctl.targets import Target

CHECK = "migrations"
FIXES = {
    State.PENDING: (Status.WARNING, "Run: nlctl migrate up"),
    State.OUT_OF_ORDER: (Status.WARNING, "Run: nlctl migrate up --allow-out-of-order"),
    State.CHANGED: (Status.ERROR, "Put the file back and write a new migration for the change."),
    State.MISSING: (
        Status.ERROR,
        "Bring the file back from git, or see: nlctl migrate repair --help",
    ),
    State.FAILED: (Status.ERROR, "See: nlctl migrate repair --help"),
}


def check(project: Project, target: Target) -> Iterator[Finding]:
    """One finding for each state that asks for something."""
    try:
        entries = status.read(
            target.database_url, project.migrations(target.project), target.project
        )
    except NlctlError as failure:
        yield Finding(CHECK, Status.ERROR, failure.message, failure.hint)
        return
    yield from compare(entries)


def compare(entries: Iterable[Entry]) -> Iterator[Finding]:
    """What the entries of a history ask for."""
    by_state: dict[State, list[str]] = {}
    for entry in entries:
        by_state.setdefault(entry.state, []).append(entry.label)
    applied = len(by_state.pop(State.APPLIED, []))
    for state, labels in by_state.items():
        gravity, fix = FIXES[state]
        yield Finding(CHECK, gravity, f"{len(labels)} {state}: {', '.join(labels)}.", fix)
    if not by_state:
        yield ok(CHECK, f"All {applied} are applied.")
