"""Databases for tests: one throw-away cluster, templates on it, and a clone for each test."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import psycopg
from psycopg import sql

from nlctl.local import binaries, platform
from nlctl.local.cluster import SUPERUSER, VOLATILE, Cluster

FIRST_PORT = 25400  # below those that systems give to outgoing connections
PREFIX = "nlctl-tests-"


@dataclass(frozen=True)
class Database:
    """One database of a cluster, and its URL for whoever connects."""

    cluster: Cluster
    name: str

    @property
    def url(self) -> str:
        """As `postgres`, who runs migrations."""
        return self.cluster.url(self.name)

    @property
    def admin_url(self) -> str:
        """As `supabase_admin`, the superuser."""
        return self.cluster.url(self.name, SUPERUSER)

    @property
    def authenticator_url(self) -> str:
        """As `authenticator`, the Data API's login."""
        return self.cluster.url(self.name, "authenticator")

    @property
    def auth_admin_url(self) -> str:
        """As `supabase_auth_admin`, the Auth service's login."""
        return self.cluster.url(self.name, "supabase_auth_admin")

    @property
    def realtime_admin_url(self) -> str:
        """As `supabase_realtime_admin`, the Realtime service's login."""
        return self.cluster.url(self.name, "supabase_realtime_admin")

    def connect(self, user: str = "postgres", *, autocommit: bool = True) -> psycopg.Connection:
        """A connection to close after use."""
        return psycopg.connect(self.cluster.url(self.name, user), autocommit=autocommit)

    def run(self, query: str, parameters: Any = None, *, user: str = "postgres") -> list[Any]:
        """Run one statement as `user`, commit, and return its rows."""
        with psycopg.connect(self.cluster.url(self.name, user)) as connection:
            cursor = connection.execute(query.encode(), parameters)
            return cursor.fetchall() if cursor.description else []


def create(cluster: Cluster, *, name: str | None = None, template: str = "template1") -> Database:
    """A database copied from `template` (an idle one)."""
    made = Database(cluster, name or f"test_{uuid4().hex[:12]}")
    _as_admin(
        cluster,
        sql.SQL("create database {} template {} strategy file_copy").format(
            sql.Identifier(made.name), sql.Identifier(template)
        ),
    )
    if template != "template1":  # a copy forgets its owner
        _as_admin(
            cluster,
            sql.SQL("alter database {} owner to postgres").format(sql.Identifier(made.name)),
        )
    return made


def clone(template: Database) -> Database:
    """A database like `template`, with what a template does not pass on."""
    made = create(template.cluster, template=template.name)
    with made.connect(SUPERUSER) as admin:
        platform.settle(admin)
    return made


def drop(database: Database) -> None:
    """Throw it away, whoever is still connected."""
    _as_admin(
        database.cluster,
        sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database.name)),
    )


def scratch_folder() -> Path:
    """A folder on memory where there is some, that the server's user may enter.

    Its name tells whose it is: `sweep` removes what belongs to nobody any more.
    """
    memory = Path("/dev/shm")
    parent = memory if memory.is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=parent))
    folder.chmod(0o755)
    return folder


def start_cluster(programs: binaries.Binaries | None = None) -> Cluster:
    """A cluster whose contents nobody will miss."""
    sweep()
    home = scratch_folder() / "database"
    cluster = Cluster(home, programs or binaries.find(), VOLATILE)
    cluster.start(FIRST_PORT)
    return cluster


def destroy_cluster(cluster: Cluster) -> None:
    """Stop it and remove its folder."""
    cluster.destroy()
    shutil.rmtree(cluster.home.parent, ignore_errors=True)


def sweep() -> None:
    """Remove what test runs that were killed left running and lying about."""
    for parent in {Path("/dev/shm"), Path(tempfile.gettempdir())}:
        for folder in parent.glob(f"{PREFIX}*"):
            owner = folder.name.removeprefix(PREFIX).split("-")[0]
            if owner.isdigit() and not psutil.pid_exists(int(owner)):
                _end_what_runs_in(folder)
                shutil.rmtree(folder, ignore_errors=True)


def _end_what_runs_in(folder: Path) -> None:
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if Path(process.cwd()).is_relative_to(folder):
                process.kill()


def _as_admin(cluster: Cluster, statement: sql.Composed) -> None:
    url = cluster.url("template1", SUPERUSER)
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(statement)
