"""The local stack of one project: its database, and where it answers."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import fasteners
import psycopg

from nlctl import database
from nlctl.errors import NlctlError
from nlctl.local import binaries, keys, platform
from nlctl.local.cluster import SUPERUSER, Cluster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nlctl.project import Project

DATABASE = "postgres"
DEFAULT_PORT = 54322
LOCK_SECONDS = 300


class StackBusy(NlctlError):
    """Another nlctl is starting, stopping or resetting the same stack."""


@dataclass(frozen=True)
class Addresses:
    """What a frontend, an operator and the tests need to reach the stack."""

    database_url: str
    publishable_key: str = keys.PUBLISHABLE_KEY
    secret_key: str = keys.SECRET_KEY
    anon_key: str = keys.legacy_key("anon")
    service_role_key: str = keys.legacy_key("service_role")
    jwt_secret: str = keys.JWT_SECRET

    def as_dict(self) -> dict[str, str]:
        """Names and values in the order people read them."""
        return asdict(self)

    def as_environment(self) -> dict[str, str]:
        """The same under the names that `supabase status -o env` gives them."""
        return {("DB_URL" if name == "database_url" else name.upper()): value
                for name, value in self.as_dict().items()}  # fmt: skip


@dataclass(frozen=True)
class Stack:
    """The stack that belongs to `project`; nothing of it is shared with another project's."""

    project: Project

    @cached_property
    def cluster(self) -> Cluster:
        """The PostgreSQL cluster, in the project's folder wherever its server can reach it."""
        home = self.project.state / "database"
        if binaries.server_user() and not binaries.reachable(home):
            name = hashlib.sha256(str(self.project.root).encode()).hexdigest()[:16]
            home = binaries.SHELTER / name
        return Cluster(home, binaries.find())

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """One starts, stops or resets the stack at a time; a killed one leaves no lock behind."""
        self.project.state.mkdir(exist_ok=True)
        lock = fasteners.InterProcessLock(self.project.state / "lock")
        if not lock.acquire(timeout=LOCK_SECONDS):
            raise StackBusy("Another nlctl is at work on this stack.", hint="Try again shortly.")
        try:
            yield
        finally:
            lock.release()

    def start(self) -> Addresses:
        """Make the database run with the platform in it, and remember where."""
        settings = self.project.platform_settings.get("db", {})
        port = self.cluster.start(self._remembered_port() or settings.get("port", DEFAULT_PORT))
        platform.install(self.cluster.url(DATABASE, SUPERUSER))
        self._remember(port)
        return Addresses(self.cluster.url(DATABASE))

    def addresses(self) -> Addresses | None:
        """Where the running stack answers, or None where it does not run."""
        return Addresses(self.cluster.url(DATABASE)) if self.cluster.port() else None

    def stop(self) -> bool:
        """Stop the stack; False where it did not run."""
        return self.cluster.stop()

    def recreate_database(self) -> None:
        """Throw the project's database away and put a fresh platform in its place."""
        with database.connect(self.cluster.url("template1", SUPERUSER), autocommit=True) as admin:
            admin.execute(f"drop database if exists {DATABASE} with (force)")
            admin.execute(f"create database {DATABASE}")
        platform.install(self.cluster.url(DATABASE, SUPERUSER))

    def server_version(self) -> str | None:
        """The version the running server tells, or None where none answers."""
        try:
            with database.connect(self.cluster.url(DATABASE)) as connection:
                return str(connection.info.parameter_status("server_version"))
        except (NlctlError, psycopg.Error):
            return None

    @property
    def _memory(self) -> Path:
        return self.project.state / "stack.json"

    def _remembered_port(self) -> int | None:
        return self._recall().get("port")

    def _recall(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self._memory.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {}

    def _remember(self, port: int) -> None:
        """Write beside and move, so that a kill leaves the old file or the new one."""
        partial = self._memory.with_suffix(f".{os.getpid()}")
        document = {"port": port, "database_url": self.cluster.url(DATABASE)}
        partial.write_text(json.dumps(document, indent=2), encoding="utf-8")
        partial.replace(self._memory)
