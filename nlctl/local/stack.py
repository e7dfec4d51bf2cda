"""The local stack of one project: its database, its API, and where they answer."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import fasteners
import psycopg

from nlctl import database
from nlctl.errors import NlctlError
from nlctl.local import binaries, keys, platform, settings, workers
from nlctl.local.api import Api, Order
from nlctl.local.cluster import SUPERUSER, Cluster
from nlctl.local.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nlctl.local.api import Whereabouts
    from nlctl.local.settings import Settings
    from nlctl.project import Project

DATABASE = "postgres"
LOCK_SECONDS = 300


class StackBusy(NlctlError):
    """Another nlctl is starting, stopping or resetting the same stack."""


@dataclass(frozen=True)
class Addresses:
    """What a frontend, an operator and the tests need to reach the stack."""

    api_url: str
    database_url: str
    mail_url: str
    publishable_key: str
    secret_key: str
    anon_key: str
    service_role_key: str
    jwt_secret: str

    def as_dict(self) -> dict[str, str]:
        """Names and values in the order people read them."""
        return asdict(self)

    def as_environment(self) -> dict[str, str]:
        """The same under the names that `supabase status -o env` gives them."""
        renamed = {"database_url": "DB_URL", "mail_url": "INBUCKET_URL"}
        return {renamed.get(name, name.upper()): value for name, value in self.as_dict().items()}


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

    @property
    def objects(self) -> Path:
        """Where Storage keeps the bytes of objects."""
        return self.project.state / "storage"

    @cached_property
    def settings(self) -> Settings:
        """What config.toml asks of this stack."""
        return settings.read(self.project)

    @property
    def api(self) -> Api:
        """The process that serves the API."""
        return Api(self.project)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """One starts, stops or resets the stack at a time; a killed one leaves no lock behind."""
        self._make_state()
        lock = fasteners.InterProcessLock(self.project.state / "lock")
        if not lock.acquire(timeout=LOCK_SECONDS):
            raise StackBusy("Another nlctl is at work on this stack.", hint="Try again shortly.")
        try:
            yield
        finally:
            lock.release()

    def start_database(self) -> str:
        """Make the database run with the platform in it, remember where, and return its URL."""
        port = self.start_server()
        self._install_platform()
        self._remember(port=port, database_url=self.cluster.url(DATABASE))
        return self.cluster.url(DATABASE)

    def start_server(self) -> int:
        """Make the database's server run at its last port, or near that of config.toml."""
        return self.cluster.start(self._recall().get("port") or self.settings.db.port)

    def start_api(self, order: Order) -> Whereabouts:
        """Make the API run as ordered, and remember its port: frontends keep it."""
        told = self.api.start(order)
        self._remember(api_port=urlsplit(told.url).port)
        return told

    def order(self, *, host: str = LOOPBACK, port: int | None = None) -> Order:
        """The API as it should run: at `port`, or near its last one or that of config.toml."""
        url = self.cluster.url(DATABASE)
        worker = workers.are_needed(self.project, url)
        asked = json.dumps([asdict(self.settings), url, host, worker], default=str)
        fingerprint = hashlib.sha256(asked.encode()).hexdigest()
        near = self._recall().get("api_port") or self.settings.api.port
        return Order(host, port or near, port is not None, fingerprint, worker)

    def addresses(self, told: Whereabouts) -> Addresses:
        """Where the running stack answers, and with which keys."""
        auth = self.settings.auth
        return Addresses(
            api_url=told.url,
            database_url=self.cluster.url(DATABASE),
            mail_url=told.mail_url,
            publishable_key=auth.publishable_key,
            secret_key=auth.secret_key,
            anon_key=auth.anon_key or keys.legacy_key("anon", auth.jwt_secret),
            service_role_key=auth.service_role_key
            or keys.legacy_key("service_role", auth.jwt_secret),
            jwt_secret=auth.jwt_secret,
        )

    def stop(self) -> bool:
        """Stop API and database; False where neither ran."""
        api_ran = self.api.stop()
        return self.cluster.stop() or api_ran

    def recreate_database(self) -> None:
        """Throw the project's database away and put a fresh platform in its place."""
        with database.connect(self.cluster.url("template1", SUPERUSER), autocommit=True) as admin:
            # Whoever follows its log keeps a database from being dropped, even by force.
            admin.execute(
                "update pg_database set datallowconn = false where datname = %s", (DATABASE,)
            )
            admin.execute(
                "select pg_terminate_backend(active_pid, 10000) from pg_replication_slots "
                "where active and database = %s",
                (DATABASE,),
            )
            admin.execute(f"drop database if exists {DATABASE} with (force)")
            admin.execute(f"create database {DATABASE}")
        self._install_platform()

    def server_version(self) -> str | None:
        """The version the running server tells, or None where none answers."""
        try:
            with database.connect(self.cluster.url(DATABASE)) as connection:
                return str(connection.info.parameter_status("server_version"))
        except (NlctlError, psycopg.Error):
            return None

    def _install_platform(self) -> None:
        admin_url = self.cluster.url(DATABASE, SUPERUSER)
        platform.install(admin_url)
        switch = "on" if self.settings.api.auto_expose_new_tables else "off"
        with database.connect(admin_url) as admin:
            admin.execute(database.load_sql("nlctl.local", f"auto_expose_{switch}"))

    def _make_state(self) -> None:
        """The folder is nobody's business but ours, in git neither."""
        self.project.state.mkdir(exist_ok=True)
        ignored = self.project.state / ".gitignore"
        if not ignored.exists():
            ignored.write_text("*\n")

    @property
    def _memory(self) -> Path:
        return self.project.state / "stack.json"

    def _recall(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self._memory.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {}

    def _remember(self, **facts: object) -> None:
        """Write beside and move, so that a kill leaves the old file or the new one."""
        known = self._recall()
        if known == {**known, **facts}:
            return
        partial = self._memory.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps({**known, **facts}, indent=2), encoding="utf-8")
        partial.replace(self._memory)
