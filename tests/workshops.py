"""Workshops: where a test writes migrations and applies them to a database of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nlctl.migrations import runner, status
from nlctl.migrations.runner import Options
from tests import terminals

if TYPE_CHECKING:
    from pathlib import Path

    from nlctl.migrations.runner import Outcome
    from tests.databases import Database
    from tests.terminals import Answer

PROJECT = "workshop"
SETTINGS = f"""
default_project = "{PROJECT}"
[projects.{PROJECT}]
migrations = "migrations"
[targets.scratch]
production = false
"""


@dataclass(frozen=True)
class Workshop:
    """A project folder, and the database its target `scratch` is."""

    root: Path
    database: Database

    @property
    def folder(self) -> Path:
        """Where the migrations lie."""
        return self.root / "migrations"

    def write(self, version: int, sql: str, name: str = "a") -> Path:
        """Write `<version>_<name>.sql`; versions are short here."""
        path = self.folder / f"{version}_{name}.sql"
        path.write_text(sql, encoding="utf-8", newline="\n")
        return path

    def up(self, project: str = PROJECT, **options: Any) -> Outcome:
        """Apply what is pending, in this process."""
        return runner.up(self.database.url, self.folder, project, options=Options(**options))

    def states(self) -> dict[str, str]:
        """How each version stands."""
        entries = status.read(self.database.url, self.folder, PROJECT)
        return {entry.version: str(entry.state) for entry in entries}

    def type(self, *words: str) -> Answer:
        """Type `nlctl migrate words…`, in this process."""
        return terminals.Terminal(self.root).type("migrate", *words)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start `nlctl migrate words…` as a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "nlctl", "migrate", *words],
            cwd=self.root,
            env={**os.environ, **self.environment()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def environment(self) -> dict[str, str]:
        """What leads nlctl to this database."""
        return {"NLCTL_TARGET": "scratch", "NLCTL_SCRATCH_DATABASE_URL": self.database.url}

    def ask(self, query: str, parameters: Any = None) -> list[Any]:
        """First column of what the database answers."""
        return [row[0] for row in self.database.run(query, parameters)]


def open_at(root: Path, database: Database) -> Workshop:
    """A workshop without any migration yet."""
    (root / "nlctl.toml").write_text(SETTINGS)
    (root / "migrations").mkdir()
    return Workshop(root, database)
