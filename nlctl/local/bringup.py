"""From a checkout to a running backend: server, platform, migrations, seeds, themes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nlctl import seeds, themes
from nlctl.errors import NlctlError
from nlctl.local.stack import Addresses, Stack
from nlctl.migrations import runner

if TYPE_CHECKING:
    from collections.abc import Callable

    from nlctl.project import Project


@dataclass(frozen=True)
class Ready:
    """A backend that answers: where, and what is in it."""

    project: str
    server_version: str
    active_theme: str | None
    addresses: Addresses

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {
            "healthy": True,
            "project": self.project,
            "server_version": self.server_version,
            "active_theme": self.active_theme,
            **self.addresses.as_dict(),
        }

    def rows(self) -> list[tuple[str, object]]:
        """For people: what to copy into a frontend, and what is on show."""
        places = self.addresses
        return [
            ("Project", self.project),
            ("PostgreSQL", self.server_version),
            ("Database URL", places.database_url),
            ("Publishable key", places.publishable_key),
            ("Secret key", places.secret_key),
            ("anon key (legacy)", places.anon_key),
            ("service_role key (legacy)", places.service_role_key),
            ("JWT secret", places.jwt_secret),
            ("Active theme", self.active_theme or "none"),
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


def bring_up(project: Project, *, step: Callable[[str], None]) -> Ready:
    """Start what does not run and apply what is missing; a second run changes nothing."""
    stack = Stack(project)
    with stack.lock():
        addresses = stack.start()
        return _fill(project, addresses, step)


def start_afresh(project: Project, *, wipe: bool, step: Callable[[str], None]) -> Ready:
    """Throw the database (or, with `wipe`, the whole server) away and bring it up again."""
    stack = Stack(project)
    with stack.lock():
        if wipe:
            stack.cluster.destroy()
        addresses = stack.start()
        if not wipe:
            stack.recreate_database()
        return _fill(project, addresses, step)


def look(project: Project) -> Health:
    """Whether the stack runs and holds what the files say; changes nothing."""
    stack = Stack(project)
    addresses = stack.addresses()
    if addresses is None:
        return Health(None, "the database is not running; run: nlctl up")
    name = project.default_name
    try:
        pending = runner.pending(addresses.database_url, project.migrations(name), name)
        if pending:
            return Health(None, f"{len(pending)} migrations are pending; run: nlctl up")
        return Health(_describe(project, stack, addresses))
    except NlctlError as error:
        return Health(None, error.message)


def _fill(project: Project, addresses: Addresses, step: Callable[[str], None]) -> Ready:
    name = project.default_name
    url = addresses.database_url
    outcome = runner.up(url, project.migrations(name), name, notice=step)
    step(f"Migrations: {len(outcome.applied)} applied.")
    if project.seeds.is_dir():
        step(f"Seeds: {len(seeds.apply(url, project.seeds).changes)} rows written.")
        pushed = themes.push(url, project.seeds / "themes", only_missing=True)
        step(f"Themes: {sum(o == 'created' for o in pushed.outcomes.values())} added.")
    return _describe(project, Stack(project), addresses)


def _describe(project: Project, stack: Stack, addresses: Addresses) -> Ready:
    return Ready(
        project=project.default_name,
        server_version=stack.server_version() or "unknown",
        active_theme=themes.active_name(addresses.database_url),
        addresses=addresses,
    )
