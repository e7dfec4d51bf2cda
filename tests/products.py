"""The whole product in one database, as `nlctl up` would leave it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlctl import seeds, themes
from nlctl.local import platform
from nlctl.migrations import runner

if TYPE_CHECKING:
    from nlctl.project import Project
    from tests.databases import Database


def install(database: Database, project: Project) -> None:
    """Platform, migrations, reference seeds, themes; what is there already stays."""
    platform.install(database.admin_url)
    name = project.default_name
    runner.up(database.url, project.migrations(name), name)
    seeds.apply(database.url, project.seeds)
    themes.push(database.url, project.seeds / "themes")
