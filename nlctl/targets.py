"""Targets: which database a command speaks to, and how carefully.

`local` is the stack on this machine. Others are named in nlctl.toml, which says what they are;
their secrets come from the environment or .env: NLCTL_<NAME>_DATABASE_URL, and for those who call
the API as well NLCTL_<NAME>_API_URL and NLCTL_<NAME>_SECRET_KEY.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nlctl.errors import ConfirmationNeeded, InvalidInput, UnknownTarget

if TYPE_CHECKING:
    from nlctl.project import Project

LOCAL = "local"


@dataclass(frozen=True)
class Target:
    """One database of one project. The URL holds a password, so it stays out of every repr."""

    name: str
    project: str
    database_url: str = field(repr=False)
    is_production: bool = False

    @property
    def is_local(self) -> bool:
        """Whether everything in it may be thrown away."""
        return self.name == LOCAL


@dataclass(frozen=True)
class Access:
    """Where the API of a target answers, and the key of its servers."""

    api_url: str
    secret_key: str = field(repr=False)


def names(project: Project) -> list[str]:
    """Every target that can be asked for by name."""
    return [LOCAL, *project.tables("targets")]


def chosen(name: str | None) -> str:
    """The target called `name`, else the one in NLCTL_TARGET, else the local stack."""
    return name or os.environ.get("NLCTL_TARGET") or LOCAL


def resolve(project: Project, name: str | None = None) -> Target:
    """The chosen target, with its URL."""
    wanted = chosen(name)
    if wanted == LOCAL:
        return Target(LOCAL, project.default_name, _local_url(project))
    described = project.tables("targets").get(wanted)
    if described is None:
        known = ", ".join(names(project))
        raise UnknownTarget(f"No target called {wanted!r}.", hint=f"Known: {known}.")
    return Target(
        name=wanted,
        project=str(described.get("project", project.default_name)),
        database_url=_database_url(project, secret_name(wanted)),
        is_production=bool(described.get("production", True)),
    )


def secret_name(name: str, secret: str = "DATABASE_URL") -> str:  # noqa: S107 (a name, no secret)
    """The variable that holds the URL of a target's database, or another secret of it."""
    return f"NLCTL_{name.upper().replace('-', '_')}_{secret}"


def access(project: Project, name: str | None = None) -> Access:
    """How servers call the API of the chosen target."""
    wanted = chosen(name)
    if wanted == LOCAL:
        return Access(*_local(project, "api.json", "url", "secret_key"))
    return Access(
        _secret(project, secret_name(wanted, "API_URL")),
        _secret(project, secret_name(wanted, "SECRET_KEY")),
    )


def confirm(target: Target, act: str, *, yes: bool) -> None:
    """Let a destructive act through on the local stack, with --yes, or when a person agrees."""
    import sys

    if target.is_local or yes:
        return
    if not sys.stdin.isatty():
        raise ConfirmationNeeded(f"{act} on {target.name} needs confirming.", hint="Add --yes.")
    if input(f"{act} on {target.name}? Type its name to go on: ").strip() != target.name:
        raise ConfirmationNeeded(f"{act} on {target.name} was not confirmed.")


def _local_url(project: Project) -> str:
    return _local(project, "stack.json", "database_url")[0]


def _local(project: Project, name: str, *facts: str) -> list[str]:
    """What the local stack tells of itself in a file of .nlctl."""
    from nlctl.errors import DatabaseUnreachable

    try:
        told = json.loads((project.state / name).read_text(encoding="utf-8"))
        return [str(told[fact]) for fact in facts]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DatabaseUnreachable(
            "The local stack is not running.", hint="Run: nlctl up"
        ) from error


def _database_url(project: Project, variable: str) -> str:
    from nlctl import database

    value = _secret(project, variable)
    database.check_url(value, variable)
    return value


def _secret(project: Project, variable: str) -> str:
    from dotenv import dotenv_values

    value = os.environ.get(variable) or dotenv_values(project.root / ".env").get(variable)
    if not value:
        raise InvalidInput(f"{variable} is not set.", hint="Set it in the environment or in .env.")
    return value
