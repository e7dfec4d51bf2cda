"""Scratch databases: a fresh project beside the real one, on one server, thrown away after use.

A server that does not run is started for the occasion. Nobody starts, stops or resets the stack
meanwhile.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import psutil
from psycopg import sql

from nlctl import database as databases
from nlctl.local import platform
from nlctl.local.cluster import SUPERUSER
from nlctl.local.stack import Stack
from nlctl.migrations import runner

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nlctl.buckets import Bucket
    from nlctl.local.cluster import Cluster
    from nlctl.project import Project

PREFIX = "nlctl_scratch_"
TEMPLATE = "nlctl_platform"


@contextmanager
def database(project: Project) -> Iterator[str]:
    """The URL, as `postgres`, of a database like a fresh Supabase project."""
    with server(project) as scratch, scratch.database() as url:
        yield url


@contextmanager
def migrated(project: Project, name: str | None = None) -> Iterator[str]:
    """The same with the migrations of one project of nlctl.toml (its default) applied."""
    with server(project) as scratch, scratch.migrated(name) as url:
        yield url


@contextmanager
def server(project: Project, *, like_hosted: bool = False) -> Iterator[Scratch]:
    """Where scratch databases are made, for callers that need several at once.

    They are like the project's own local database, or `like_hosted` ones, where no project gives
    the roles of the API rights to new tables any more.
    """
    stack = Stack(project)
    with stack.lock():
        was_running = stack.cluster.port() is not None
        if not was_running:
            stack.start_server()
        try:
            exposes = stack.settings.api.auto_expose_new_tables and not like_hosted
            yield Scratch(stack, exposes)
        finally:
            if not was_running:
                stack.cluster.stop()


@dataclass(frozen=True)
class Scratch:
    """A running server with room for databases that nobody will miss."""

    stack: Stack
    exposes_new_tables: bool

    @contextmanager
    def database(self) -> Iterator[str]:
        """As `scratch.database`, on this server."""
        cluster = self.stack.cluster
        _prepare_template(cluster)
        name = f"{PREFIX}{os.getpid()}_{uuid4().hex[:12]}"
        _run(cluster, "create database {} template {}", name, TEMPLATE)
        try:
            self._settle(name)
            yield cluster.url(name)
        finally:
            _run(cluster, "drop database if exists {} with (force)", name)

    @contextmanager
    def migrated(self, name: str | None = None) -> Iterator[str]:
        """As `scratch.migrated`, on this server."""
        project = self.stack.project
        known_as = name or project.default_name
        with self.database() as url:
            runner.up(url, project.migrations(known_as), known_as)
            yield url

    def declared_buckets(self, name: str) -> Sequence[Bucket]:
        """Those of supabase/config.toml, which speaks of the default project."""
        settings, project = self.stack.settings.storage, self.stack.project
        return settings.declared() if settings.enabled and name == project.default_name else ()

    def _settle(self, name: str) -> None:
        """What a copy forgets, and what was asked of the platform."""
        cluster = self.stack.cluster
        _run(cluster, "alter database {} owner to postgres", name)
        switch = "on" if self.exposes_new_tables else "off"
        with databases.connect(cluster.url(name, SUPERUSER), autocommit=True) as admin:
            platform.settle(admin)
            admin.execute(databases.load_sql("nlctl.local", f"auto_expose_{switch}"))


def _prepare_template(cluster: Cluster) -> None:
    """Have the platform ready to be copied, and sweep what killed runs have left."""
    with databases.connect(cluster.url("template1", SUPERUSER), autocommit=True) as admin:
        known = {name for (name,) in admin.execute("select datname from pg_database")}
    for name in filter(_is_orphan, known):
        _run(cluster, "drop database if exists {} with (force)", name)
    if TEMPLATE not in known:
        _run(cluster, "create database {}", TEMPLATE)
    platform.install(cluster.url(TEMPLATE, SUPERUSER))


def _is_orphan(name: str) -> bool:
    owner = name.removeprefix(PREFIX).partition("_")[0]
    return name.startswith(PREFIX) and owner.isdigit() and not psutil.pid_exists(int(owner))


def _run(cluster: Cluster, statement: str, *names: str) -> None:
    url = cluster.url("template1", SUPERUSER)
    with databases.connect(url, autocommit=True) as admin:
        admin.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
