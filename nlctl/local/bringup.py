"""From a project folder to a running backend: server, platform, migrations, seeds, API."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nlctl import buckets, seeds, themes
from nlctl.errors import InvalidInput, MigrationConflict, NlctlError
from nlctl.local import absences, seed_files, settings, workers
from nlctl.local.ports import LOOPBACK
from nlctl.local.stack import Addresses, Stack
from nlctl.migrations import runner

if TYPE_CHECKING:
    from collections.abc import Callable

    from nlctl.local.api import Whereabouts
    from nlctl.project import Project

    Step = Callable[[str], None]


@dataclass(frozen=True)
class Front:
    """Where the API should listen; without a port, near the one that config.toml names."""

    host: str = LOOPBACK
    port: int | None = None


@dataclass(frozen=True)
class Ready:
    """A backend that answers: where, and what is in it."""

    project: str
    server_version: str
    active_theme: str | None
    worker: str | None
    addresses: Addresses
    absent: tuple[str, ...] = ()
    """What config.toml asks for in vain."""

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {
            "healthy": True,
            "project": self.project,
            "server_version": self.server_version,
            "active_theme": self.active_theme,
            "worker": self.worker,
            **self.addresses.as_dict(),
            "absent": list(self.absent),
        }

    def rows(self) -> list[tuple[str, object]]:
        """For people: what to copy into a frontend, and what is on show."""
        places = self.addresses
        return [
            ("Project", self.project),
            ("PostgreSQL", self.server_version),
            ("API URL", places.api_url),
            ("Database URL", places.database_url),
            ("Inbox", places.mail_url),
            ("Publishable key", places.publishable_key),
            ("Secret key", places.secret_key),
            ("anon key (legacy)", places.anon_key),
            ("service_role key (legacy)", places.service_role_key),
            ("JWT secret", places.jwt_secret),
            *([("Worker", self.worker)] if self.worker else []),
            *([("Active theme", self.active_theme)] if self.active_theme else []),
        ]


@dataclass(frozen=True)
class Health:
    """What a look at the stack found: `ready`, or the reason why not."""

    ready: Ready | None
    reason: str | None = None

    @property
    def healthy(self) -> bool:
        """Whether everything is there and answers."""
        return self.ready is not None

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        if self.ready:
            return self.ready.as_dict()
        return {"healthy": False, "reason": self.reason}


def bring_up(project: Project, front: Front, *, demo: bool = False, step: Step) -> Ready:
    """Start what does not run and apply what is missing; a second run changes nothing.

    `demo` adds the demonstration: people, courses and what they did.
    """
    stack = Stack(project)
    with stack.lock():
        _fill(project, stack, stack.start_database(), demo=demo, step=step)
        return _open(stack, front)


def start_afresh(project: Project, *, wipe: bool, demo: bool = False, step: Step) -> Ready:
    """Throw the database (or, with `wipe`, the whole server) away and bring it up again."""
    stack = Stack(project)
    with stack.lock():
        stack.api.stop()
        if wipe:
            stack.cluster.destroy()
        url = stack.start_database()
        if not wipe:
            stack.recreate_database()
        shutil.rmtree(stack.objects, ignore_errors=True)  # nothing names them any more
        _fill(project, stack, url, demo=demo, step=step)
        return _open(stack, Front())


def serve(
    project: Project,
    front: Front,
    *,
    demo: bool = False,
    step: Step,
    started: Callable[[Ready], None],
) -> None:
    """Bring the stack up with the API in this process, until a signal stops all of it."""
    from nlctl.local import server

    stack = Stack(project)
    with stack.lock():
        _fill(project, stack, stack.start_database(), demo=demo, step=step)
        stack.api.stop()
        order = stack.order(host=front.host, port=front.port)
    try:
        server.run(project, order, started=lambda told: started(_describe(stack, told)))
    finally:
        stack.cluster.stop()


def look(project: Project) -> Health:
    """Whether the stack runs and holds what the files say; changes nothing."""
    stack = Stack(project)
    if stack.cluster.port() is None:
        return Health(None, "the database is not running; run: nlctl up")
    told = stack.api.running()
    if told is None or not stack.api.answers():
        return Health(None, "the API is not running; run: nlctl up")
    try:
        pending = _pending(project, stack)
        if pending:
            return Health(None, f"{len(pending)} migrations are pending; run: nlctl up")
        return Health(_describe(stack, told))
    except NlctlError as error:
        return Health(None, error.message)


def _fill(project: Project, stack: Stack, url: str, *, demo: bool, step: Step) -> None:
    if demo and not (_is_ours(project) and (project.seeds / "demo").is_dir()):
        raise InvalidInput("This project has no demonstration: there is no seeds/demo.")
    seed_files.apply(url, seed_files.find_roles(project))
    if _has_migrations(project, stack):
        step(f"Migrations: {_migrate(project, url, step)} applied.")
    if stack.settings.db.seed.enabled:
        found = seed_files.find(project, stack.settings.db.seed.sql_paths)
        step(f"Seed files: {len(seed_files.apply(url, found))} run.")
    if _is_ours(project):
        sets = ("reference", "demo") if demo else ("reference",)
        step(f"Seeds: {len(seeds.apply(url, project.seeds, sets=sets).changes)} rows written.")
        pushed = themes.push(url, project.seeds / "themes", only_missing=True)
        step(f"Themes: {sum(o == 'created' for o in pushed.outcomes.values())} added.")
    if stack.settings.storage.enabled:
        synced = buckets.sync(url, stack.settings.storage.declared())
        written = sum(outcome != buckets.Outcome.UNCHANGED for outcome in synced.values())
        step(f"Buckets: {written} written.")


def _migrate(project: Project, url: str, step: Step) -> int:
    """How many files were applied."""
    name, options = project.default_name, _migration_options(project)
    try:
        outcome = runner.up(url, project.migrations(name), name, options=options, notice=step)
    except MigrationConflict as error:
        error.hint = f"{error.hint}; or, where nothing is lost by it: nlctl reset"
        raise
    return len(outcome.applied)


def _pending(project: Project, stack: Stack) -> tuple[str, ...]:
    if not _has_migrations(project, stack):
        return ()
    name = project.default_name
    options = _migration_options(project)
    return runner.pending(stack.cluster.url(), project.migrations(name), name, options=options)


def _migration_options(project: Project) -> runner.Options:
    """The Supabase CLI applies empty files too, and a project of its own may have some."""
    return runner.Options(allow_empty=not project.settings)


def _has_migrations(project: Project, stack: Stack) -> bool:
    folder = project.migrations(project.default_name)
    return stack.settings.db.migrations.enabled and folder.is_dir()


def _is_ours(project: Project) -> bool:
    """Whether seeds/ is meant for nlctl; any other project may use the name as it likes."""
    return bool(project.settings) and project.seeds.is_dir()


def _open(stack: Stack, front: Front) -> Ready:
    order = stack.order(host=front.host, port=front.port)
    return _describe(stack, stack.start_api(order))


def _describe(stack: Stack, told: Whereabouts) -> Ready:
    addresses = stack.addresses(told)
    has_themes = _is_ours(stack.project)
    return Ready(
        project=stack.project.default_name,
        server_version=stack.server_version() or "unknown",
        active_theme=themes.active_name(addresses.database_url) if has_themes else None,
        worker=workers.tell(addresses.database_url) if told.worker else None,
        addresses=addresses,
        absent=absences.find(settings.read_document(stack.project)),
    )
