"""What migration benches work on: folders of small real migrations, and databases to fill."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from bench import stopwatch
from nlctl.local import platform
from nlctl.migrations import runner
from nlctl.migrations.queries import query
from tests import databases, npm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nlctl.local.cluster import Cluster
    from tests.databases import Database

TEMPLATE = "template_bench"
MIGRATION = Path(__file__).with_name("migration.sql").read_text(encoding="utf-8")
RECORD = (
    "insert into supabase_migrations.schema_migrations (version, name, statements)"
    " values (%s, %s, %s)"
)
SETTINGS = """
default_project = "bench"
[projects.bench]
migrations = "supabase/migrations"
[targets.bench]
project = "bench"
production = false
"""


@dataclass(frozen=True)
class Workshop:
    """A project with nothing but migrations, as nlctl, the Supabase CLI and dbmate read it."""

    root: Path

    @property
    def folder(self) -> Path:
        """Where nlctl and the Supabase CLI look."""
        return self.root / "supabase" / "migrations"

    def write(self, count: int) -> None:
        """Make the project with `count` files."""
        self.folder.mkdir(parents=True)
        (self.root / "dbmate").mkdir()
        (self.root / "nlctl.toml").write_text(SETTINGS)
        (self.root / "supabase" / "config.toml").write_text('project_id = "bench"\n')
        for number in range(count):
            name = f"{20260101000000 + number}_loans_{number}.sql"
            text = MIGRATION.replace("NUMBER", str(number))
            (self.folder / name).write_text(text, encoding="utf-8")
            (self.root / "dbmate" / name).write_text(
                f"-- migrate:up\n{text}\n-- migrate:down\n", encoding="utf-8"
            )

    def apply_plainly(self, url: str) -> None:
        """The limit: one transaction a file, with its row of the history, and nothing more."""
        with psycopg.connect(url) as connection:
            connection.execute(query("tables"))
            connection.commit()
            for path in sorted(self.folder.glob("*.sql")):
                text = path.read_text(encoding="utf-8")
                version, _, name = path.stem.partition("_")
                connection.execute(text.encode())
                connection.execute(RECORD, (version, name, [text]))
                connection.commit()

    def apply_with_engine(self, url: str) -> None:
        """Our engine, in this process."""
        runner.up(url, self.folder, "bench")

    def type(self, url: str, *command: str | Path) -> None:
        """A command in the project's folder, its target being `url`."""
        environment = {"NLCTL_BENCH_DATABASE_URL": url, "DATABASE_URL": f"{url}?sslmode=disable"}
        subprocess.run(
            list(map(str, command)),
            cwd=self.root,
            env={**os.environ, **environment},
            check=True,
            capture_output=True,
        )

    def type_plainly(self, url: str) -> None:
        """The limit with the start of its Python."""
        code = "import sys, pathlib; from bench.migrate_workshop import Workshop as W;"
        act = "W(pathlib.Path(sys.argv[1])).apply_plainly(sys.argv[2])"
        command = [sys.executable, "-c", f"{code} {act}", str(self.root), url]
        subprocess.run(command, check=True, capture_output=True)

    def type_nlctl(self, url: str) -> None:
        """`nlctl migrate up`."""
        self.type(url, sys.executable, "-m", "nlctl", "migrate", "up", "--target", "bench")

    def type_supabase(self, url: str) -> None:
        """`supabase db push`."""
        self.type(url, npm.program("supabase"), "db", "push", f"--remote={url}", "--yes")

    def type_dbmate(self, url: str) -> None:
        """`dbmate up`."""
        words = ("--no-dump-schema", "--migrations-dir", "dbmate", "up")
        self.type(url, npm.program("dbmate"), *words)


def others() -> dict[str, Callable[[Workshop, str], None]]:
    """The commands of others that this machine can have."""
    try:
        npm.install("supabase")
        npm.install("dbmate")
    except npm.NpmMissing:
        return {}
    return {"supabase db push": Workshop.type_supabase, "dbmate up": Workshop.type_dbmate}


@contextmanager
def server() -> Iterator[Cluster]:
    """A server on memory with a template of a fresh Supabase project."""
    cluster = databases.start_cluster()
    try:
        platform.install(databases.create(cluster, name=TEMPLATE).admin_url)
        yield cluster
    finally:
        databases.destroy_cluster(cluster)


@contextmanager
def fresh(cluster: Cluster) -> Iterator[Database]:
    """A database of one's own."""
    database = databases.create(cluster, template=TEMPLATE)
    try:
        yield database
    finally:
        databases.drop(database)


def time_on_fresh(cluster: Cluster, act: Callable[[str], None]) -> float:
    """Seconds that `act` takes on a database of its own."""
    with fresh(cluster) as database:
        return stopwatch.time(partial(act, database.url))
