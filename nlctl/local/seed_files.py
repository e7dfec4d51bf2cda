"""A project's own seed.sql and roles.sql: each file runs once, as `supabase start` has it.

The history is the Supabase CLI's: a file that changed after it ran is noted under its new hash and
not run again; `nlctl reset` runs everything anew.
"""

from __future__ import annotations

import glob
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from nlctl import database
from nlctl.errors import DamagedText, SeedRefused
from nlctl.migrations import statements

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nlctl.project import Project


@dataclass(frozen=True)
class SeedFile:
    """One file under the name that the history knows it by."""

    name: str
    script: str

    @property
    def digest(self) -> str:
        """What tells a changed file."""
        return hashlib.sha256(self.script.encode()).hexdigest()


def find_roles(project: Project) -> list[SeedFile]:
    """supabase/roles.sql, which runs before the migrations: the project's roles."""
    return find(project, ["roles.sql"])


def find(project: Project, patterns: Sequence[str]) -> list[SeedFile]:
    """The files that `patterns` (relative to supabase/) mean, in their order, each once."""
    folder = project.root / "supabase"
    written = dict.fromkeys(
        os.path.normpath(folder / name)
        for pattern in patterns
        for name in sorted(glob.glob(pattern, root_dir=folder, recursive=True))  # noqa: PTH207 (..)
    )
    return [_read(Path(path), project.root) for path in written if Path(path).is_file()]


def apply(url: str, seed_files: Sequence[SeedFile]) -> list[str]:
    """Run the files that never ran, each in one transaction with its row; their names."""
    if not seed_files:
        return []
    with database.connect(url, autocommit=True, name="nlctl seed") as connection:
        database.run_script(connection, database.load_sql("nlctl.local", "seed_history"))
        known: dict[str, str] = dict(
            connection.execute("select path, hash from supabase_migrations.seed_files").fetchall()
        )
        for seed in seed_files:
            if known.get(seed.name) != seed.digest:
                _record(connection, seed, run=seed.name not in known)
    return [seed.name for seed in seed_files if seed.name not in known]


def _record(connection: psycopg.Connection, seed: SeedFile, *, run: bool) -> None:
    try:
        with connection.transaction():
            if run:
                database.run_script(connection, seed.script)
            connection.execute(
                "insert into supabase_migrations.seed_files (path, hash) values (%s, %s) "
                "on conflict (path) do update set hash = excluded.hash",
                (seed.name, seed.digest),
            )
    except psycopg.Error as error:
        raise SeedRefused(
            f"{_place(seed, error)} was refused and rolled back: {database.reason(error)}.",
            hint="Correct the file, then run nlctl up again.",
            code=error.sqlstate,
        ) from error


def _place(seed: SeedFile, error: psycopg.Error) -> str:
    """The file, with the line where PostgreSQL knows it."""
    position = error.diag.statement_position
    if position is None:
        return seed.name
    return f"{seed.name}:{statements.place(seed.script, int(position) - 1).line}"


def _read(path: Path, root: Path) -> SeedFile:
    name = Path(os.path.relpath(path, root)).as_posix()
    try:
        return SeedFile(name, path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DamagedText(f"{name}: not UTF-8.", hint="Save the file as UTF-8.") from error
