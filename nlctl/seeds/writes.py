"""Writing seeds: one transaction for everything, one statement for each table."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import errors, sql

from nlctl import database
from nlctl.errors import SeedRefused, SeedsBusy
from nlctl.seeds import files, lookups, statements, tables
from nlctl.seeds.documents import from_json, to_json
from nlctl.seeds.files import REFERENCE, SETS
from nlctl.seeds.order import in_order
from nlctl.seeds.report import Change, Kind, Report, ScriptReport

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from nlctl.seeds.files import Row, Script, Seed, SeedSet, Step

LOCK_NAME = "nlctl seeds"
LOCK_TIMEOUT = "60s"


def apply(
    url: str,
    folder: Path,
    *,
    sets: Sequence[str] = (REFERENCE,),
    dry_run: bool = False,
    prune: bool = False,
) -> Report:
    """Make the tables say what the files say; `prune` also deletes rows that no file names.

    All or nothing. A row that already says so is not touched, so a second run changes nothing.
    """
    wanted = files.read(folder, sets)
    kept = files.read(folder, SETS) if prune else None
    with database.connect(url, name="nlctl seed") as connection, _kindly():
        _take_turn(connection)
        report = _write(connection, wanted, kept)
        connection.execute("set constraints all immediate")
        if dry_run:
            connection.rollback()
    return report


def diff(
    url: str, folder: Path, *, sets: Sequence[str] = (REFERENCE,), prune: bool = False
) -> Report:
    """What `apply` would change, row by row, without a write. What .sql seeds do is not known."""
    wanted = files.read(folder, sets)
    kept = files.read(folder, SETS) if prune else None
    with database.connect(url, name="nlctl seed") as connection, _kindly():
        connection.execute("set transaction read only")
        ordered = _in_order(connection, wanted)
        seeds = [seed for seeds in ordered for seed in seeds]
        changes = [
            change
            for seed in seeds
            for _row, change in _compare(connection, seed, lookups.resolve(connection, seed))
        ]
        if kept is not None:
            changes += [
                change
                for seed in _all_rows(seeds, kept)
                for change in _find_strangers(connection, seed)
            ]
    return Report(tuple(changes), _count_rows(ordered))


def _write(
    connection: psycopg.Connection, wanted: list[SeedSet], kept: list[SeedSet] | None
) -> Report:
    changes: list[Change] = []
    scripts: list[ScriptReport] = []
    ordered = _in_order(connection, wanted)
    for seed_set, seeds in zip(wanted, ordered, strict=True):
        for seed in seeds:
            changes += _write_seed(connection, seed)
        scripts += [_run_script(connection, script) for script in seed_set.scripts]
    if kept is not None:
        seeds = [seed for seeds in ordered for seed in seeds]
        for seed in _all_rows(seeds, kept):
            changes += _prune(connection, seed)
    return Report(tuple(changes), _count_rows(ordered), tuple(scripts))


def _take_turn(connection: psycopg.Connection) -> None:
    connection.execute(sql.SQL("set local lock_timeout = {}").format(LOCK_TIMEOUT))
    try:
        connection.execute("select pg_advisory_xact_lock(hashtext(%s))", (LOCK_NAME,))
    except errors.LockNotAvailable as error:
        raise SeedsBusy(
            "Another application of seeds is running; nothing was written.", hint="Try again later."
        ) from error


def _in_order(connection: psycopg.Connection, sets: Sequence[SeedSet]) -> list[list[Seed]]:
    """The seeds of each set, checked against their tables, parents first."""
    names = sorted({seed.table for seed_set in sets for seed in seed_set.seeds})
    known = tables.read(connection, names)
    for seed_set in sets:
        for seed in seed_set.seeds:
            tables.check(seed, known)
    references = {name: table.parents for name, table in known.items()}
    return [in_order(seed_set.seeds, references) for seed_set in sets]


def _write_seed(connection: psycopg.Connection, seed: Seed) -> list[Change]:
    try:
        with connection.transaction():
            return _write_rows(connection, seed)
    except psycopg.Error as error:
        place = _find_culprit(connection, seed, error)
        raise _refusal(f"{place}: {seed.table}", error) from error


def _write_rows(connection: psycopg.Connection, seed: Seed) -> list[Change]:
    resolved = lookups.resolve(connection, seed)
    lookups.refuse_unresolved(seed, resolved)
    compared = _compare(connection, seed, resolved)
    if compared:
        changed = [row for row, _change in compared]
        connection.execute(statements.upsert(seed, _by_columns(changed)))
    return [change for _row, change in compared]


def _compare(
    connection: psycopg.Connection, seed: Seed, resolved: Seed
) -> list[tuple[Row, Change]]:
    """The rows to write, as `resolved` has them, each with its change in the words of the file."""
    found = connection.execute(
        statements.compare(seed), {"rows": _rows_json(resolved.rows), "initial": list(seed.initial)}
    )
    changed = []
    for row, written, (is_new, text) in zip(seed.rows, resolved.rows, found, strict=True):
        fields = {name: (old, new) for name, (old, new) in json.loads(text).items()}
        if is_new or fields:
            key = {column: row.values[column] for column in seed.key}
            kind: Kind = "insert" if is_new else "update"
            changed.append((written, Change(seed.table, kind, key, fields, str(row.place))))
    return changed


def _find_culprit(connection: psycopg.Connection, seed: Seed, error: psycopg.Error) -> files.Place:
    """The first row that fails alone as the table failed; PostgreSQL does not say which it was."""
    for row in seed.rows:
        try:
            with connection.transaction():
                _write_rows(connection, replace(seed, rows=(row,)))
        except psycopg.Error as alone:
            if alone.sqlstate == error.sqlstate:
                return row.place
    return seed.place


def _prune(connection: psycopg.Connection, seed: Seed) -> list[Change]:
    strangers = _find_strangers(connection, seed)
    if not strangers:
        return []
    rows = to_json([dict(change.key) for change in strangers])
    try:
        connection.execute(statements.delete(seed), {"rows": rows})
    except psycopg.Error as error:
        raise _refusal(f"pruning {seed.table}", error) from error
    return strangers


def _find_strangers(connection: psycopg.Connection, seed: Seed) -> list[Change]:
    named = lookups.resolve(connection, seed).rows
    found = connection.execute(statements.strangers(seed), {"rows": _rows_json(named)})
    return [Change(seed.table, "delete", from_json(key), {}, None) for (key,) in found]


def _all_rows(seeds: Iterable[Seed], kept: Iterable[SeedSet]) -> list[Seed]:
    """The tables of `seeds`, children first, each with the rows that any set names."""
    rows: dict[str, list[Row]] = defaultdict(list)
    for seed_set in kept:
        for seed in seed_set.seeds:
            rows[seed.table] += seed.rows
    once = {seed.table: seed for seed in seeds}
    return [replace(seed, rows=tuple(rows[seed.table])) for seed in reversed(once.values())]


def _run_script(connection: psycopg.Connection, script: Script) -> ScriptReport:
    return ScriptReport(script.name, sum(_run_step(connection, step) for step in script.steps))


def _run_step(connection: psycopg.Connection, step: Step) -> int:
    try:
        cursor = connection.execute(sql.SQL(step.text))
    except psycopg.Error as error:
        raise _refusal(str(step.place), error) from error
    verb = (cursor.statusmessage or "").split(" ")[0]
    return cursor.rowcount if verb in {"INSERT", "UPDATE", "DELETE", "MERGE"} else 0


def _by_columns(rows: Iterable[Row]) -> list[tuple[tuple[str, ...], str]]:
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[tuple(sorted(row.values))].append(row.values)
    return [(columns, to_json(values)) for columns, values in groups.items()]


def _rows_json(rows: Iterable[Row]) -> str:
    return to_json([row.values for row in rows])


def _count_rows(ordered: Iterable[Iterable[Seed]]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for seeds in ordered:
        for seed in seeds:
            counts[seed.table] += len(seed.rows)
    return dict(counts)


def _refusal(subject: str, error: psycopg.Error) -> SeedRefused:
    return SeedRefused(f"{subject}: {database.reason(error)}. Nothing was written.")


@contextmanager
def _kindly() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        raise _refusal("The database refused the seeds", error) from error
