"""Workflows: what GitHub Actions does with migrations, written for the targets of a project."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlctl import targets
from nlctl.errors import InvalidInput

if TYPE_CHECKING:
    from nlctl.project import Project

PATH = ".github/workflows/migrations.yml"
_LOCK = "requirements.lock"
_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*\Z")


@dataclass(frozen=True)
class Environment:
    """A target as GitHub knows it. `after` names the jobs that must have gone well before."""

    name: str
    is_production: bool
    after: list[str]

    @property
    def secret(self) -> str:
        """What holds the URL of its database, here and there."""
        return targets.secret_name(self.name)

    @property
    def plan_environment(self) -> str:
        """Where a pull request finds that secret: approval is asked for changes, not for plans."""
        return f"{self.name}-plan" if self.is_production else self.name


def write(project: Project, branch: str = "main") -> str:
    """The workflow: plans on pull requests, applies on `branch`, production last."""
    from jinja2 import Environment as Templates
    from jinja2 import PackageLoader, StrictUndefined

    templates = Templates(
        loader=PackageLoader("nlctl", "workflows"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - it is YAML, and every name in it was looked at
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    has_dev = (project.root / "dev").is_file()
    return templates.get_template("github.yml.j2").render(
        branch=_checked(branch, "A branch"),
        command="./dev nlctl" if has_dev else "nlctl",
        install=None if has_dev else "pip install nlctl",
        lock=_LOCK if (project.root / _LOCK).is_file() else None,
        paths=_paths(project),
        targets=_environments(project),
    )


def _environments(project: Project) -> list[Environment]:
    described = project.tables("targets")
    production = {name: bool(table.get("production", True)) for name, table in described.items()}
    first = [
        _checked(name, "A target")
        for name, is_production in production.items()
        if not is_production
    ]
    last = [
        _checked(name, "A target") for name, is_production in production.items() if is_production
    ]
    return [
        *(Environment(name, False, []) for name in first),
        *(Environment(name, True, [f"apply-{each}" for each in first]) for name in last),
    ]


def _paths(project: Project) -> list[str]:
    """The files whose change matters: migrations of every project, and the settings."""
    named = list(project.tables("projects")) or [project.default_name]
    folders = {project.migrations(name).relative_to(project.root).as_posix() for name in named}
    settings = ["nlctl.toml", "supabase/config.toml", _LOCK]
    return [
        *(f"{_checked(folder, 'A folder')}/**" for folder in sorted(folders)),
        *(name for name in settings if (project.root / name).is_file()),
        PATH,
    ]


def _checked(name: str, what: str) -> str:
    if not _SAFE.match(name):
        raise InvalidInput(f"{what} called {name!r} cannot be written into a workflow.")
    return name
