"""The project folder: where it is, what it holds, what nlctl.toml says of it."""

from __future__ import annotations

import tomllib
from codecs import BOM_UTF8
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from nlctl.errors import InvalidInput, ProjectNotFound

MARKERS = ("nlctl.toml", "supabase/config.toml")
EXPOSED_BY_DEFAULT = ("public", "graphql_public")
DEFAULT_MIGRATIONS = "supabase/migrations"


@dataclass(frozen=True)
class Project:
    """A checkout: `root` is the folder that holds nlctl.toml (or supabase/config.toml)."""

    root: Path

    @property
    def state(self) -> Path:
        """Where the local stack keeps what is not committed."""
        return self.root / ".nlctl"

    @property
    def seeds(self) -> Path:
        """Reference rows; themes/ inside it holds the tokens."""
        return self.root / "seeds"

    @property
    def functions(self) -> Path:
        """The worker functions, one a file."""
        return self.root / "functions"

    @cached_property
    def settings(self) -> dict[str, Any]:
        """nlctl.toml as it stands, or nothing."""
        return _read_toml(self.root / "nlctl.toml")

    @cached_property
    def platform_settings(self) -> dict[str, Any]:
        """supabase/config.toml as it stands, or nothing."""
        return _read_toml(self.root / "supabase" / "config.toml")

    @property
    def exposed_schemas(self) -> tuple[str, ...]:
        """The schemas that the Data API shows, as supabase/config.toml has them."""
        return tuple(self.platform_settings.get("api", {}).get("schemas", EXPOSED_BY_DEFAULT))

    def tables(self, section: str) -> dict[str, dict[str, Any]]:
        """What nlctl.toml says of each of its `projects` or `targets`, by name."""
        found = self.settings.get(section, {})
        if isinstance(found, dict) and all(isinstance(each, dict) for each in found.values()):
            return found
        raise InvalidInput(f"nlctl.toml: write each of {section} as a table, [{section}.NAME].")

    def migrations(self, name: str) -> Path:
        """The folder of one project's migrations, by the name nlctl.toml gives it."""
        projects = self.tables("projects")
        if projects and name not in projects:
            raise InvalidInput(
                f"nlctl.toml describes no project called {name!r}.",
                hint=f"Known: {', '.join(projects)}.",
            )
        return self.root / str(projects.get(name, {}).get("migrations", DEFAULT_MIGRATIONS))

    @property
    def default_name(self) -> str:
        """The project a target belongs to when nothing else is said."""
        named = self.settings.get("default_project") or self.platform_settings.get("project_id")
        return str(named or self.root.name)


def at(folder: Path) -> Project:
    """The project in `folder` itself, not around it."""
    root = folder.resolve()
    if any((root / marker).is_file() for marker in MARKERS):
        return Project(root)
    raise ProjectNotFound(
        f"No project in {root}.", hint="It has neither nlctl.toml nor supabase/config.toml."
    )


def find(start: Path | None = None) -> Project:
    """The project around `start` (the working directory by default)."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if any((folder / marker).is_file() for marker in MARKERS):
            return Project(folder)
    raise ProjectNotFound(
        f"No project around {here}.",
        hint="Run nlctl inside a folder that has nlctl.toml or supabase/config.toml.",
    )


def _read_toml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    content = path.read_bytes()
    if content.startswith(BOM_UTF8):
        raise InvalidInput(
            f"{path.name} begins with a byte order mark.",
            hint="Save it as UTF-8 without one.",
        )
    try:
        return tomllib.loads(content.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path.name} cannot be read: {error}.") from error
