"""The plan: which files are to run, and why none may while files and history disagree."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from nlctl.errors import InvalidInput, MigrationConflict, MigrationFailed, Place
from nlctl.migrations import files
from nlctl.migrations.status import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nlctl.migrations.status import Entry


def choose(
    entries: Sequence[Entry],
    *,
    to: str | None = None,
    allow_out_of_order: bool = False,
    allow_empty: bool = False,
) -> tuple[Entry, ...]:
    """The entries to apply, up to version `to`, each looked through before any runs."""
    _refuse_failed(_those(entries, State.FAILED))
    _refuse_changed(_those(entries, State.CHANGED))
    _refuse_missing(_those(entries, State.MISSING))
    wanted = up_to(entries, to)
    late = _those(wanted, State.OUT_OF_ORDER)
    if not allow_out_of_order:
        _refuse_late(late)
    chosen = sorted([*late, *_those(wanted, State.PENDING)], key=lambda e: files.order(e.version))
    for entry in chosen:
        if entry.migration:
            files.check(entry.migration, allow_empty=allow_empty)
    return tuple(chosen)


def up_to(entries: Sequence[Entry], version: str | None) -> Sequence[Entry]:
    """Those not later than `version`, or all of them."""
    if version is None:
        return entries
    if version not in {entry.version for entry in entries}:
        raise InvalidInput(f"There is no migration {version}.", hint="See: nlctl migrate status")
    return [entry for entry in entries if files.order(entry.version) <= files.order(version)]


def way_out_of_failure(version: str) -> str:
    """What to do with a file that stopped half-way."""
    return (
        f"Undo what it left, then: nlctl migrate repair {version} --status reverted "
        "(--drop-invalid-indexes drops those), and the next up runs it again. "
        "Or finish it by hand and use --status applied."
    )


def describe_leftovers(leftovers: Iterable[str]) -> str:
    """Indented lines that name the invalid indexes by the statements that drop them."""
    return "".join(f"\n    invalid index left behind: {drop}" for drop in leftovers)


def _refuse_failed(failed: list[Entry]) -> None:
    if not failed:
        return
    entry = failed[0]
    raise MigrationFailed(
        f"{entry.label} stopped half-way before. Nothing was run."
        f"\n    then: {entry.record.error if entry.record else ''}"
        + describe_leftovers(entry.leftovers),
        hint=way_out_of_failure(entry.version),
    )


def _refuse_changed(changed: list[Entry]) -> None:
    if changed:
        raise MigrationConflict(
            f"Edited after being applied: {_labels(changed)}. Nothing was run."
            + "".join(map(_describe_change, changed)),
            hint="Put the text back and write a new migration; or, if the database already is as "
            f"the file says: nlctl migrate repair {changed[0].version} --status applied",
            place=Place(changed[0].migration.path, 1, 1) if changed[0].migration else None,
        )


def _describe_change(entry: Entry) -> str:
    if entry.migration is None or entry.record is None or entry.applied_text is None:
        return ""
    diff = difflib.unified_diff(
        entry.applied_text.splitlines(),
        entry.migration.text.splitlines(),
        fromfile=f"{entry.label} (applied)",
        tofile=f"{entry.label} (file)",
        lineterm="",
    )
    applied = entry.record.sha256 or "unknown, the Supabase CLI applied it"
    hashes = f"sha256 applied: {applied}", f"sha256 of file: {entry.migration.sha256}"
    return "".join(f"\n    {line}" for line in (*hashes, *diff))


def _refuse_missing(missing: list[Entry]) -> None:
    if missing:
        versions = " ".join(entry.version for entry in missing)
        raise MigrationConflict(
            f"Applied here but missing in the folder: {_labels(missing)}. Nothing was run.",
            hint="Bring the files back (git pull?), or drop them from the history: "
            f"nlctl migrate repair {versions} --status reverted",
        )


def _refuse_late(late: list[Entry]) -> None:
    if late:
        raise MigrationConflict(
            f"Older than the newest applied migration: {_labels(late)}. Nothing was run.",
            hint="Give them a newer version, or: nlctl migrate up --allow-out-of-order",
        )


def _those(entries: Iterable[Entry], state: State) -> list[Entry]:
    return [entry for entry in entries if entry.state is state]


def _labels(entries: Iterable[Entry]) -> str:
    return ", ".join(entry.label for entry in entries)
