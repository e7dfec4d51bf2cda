"""The whole product in one database, as `nlctl up` would leave it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlctl import buckets, seeds, themes
from nlctl.local import platform, settings
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


def make_buckets(database: Database, project: Project) -> None:
    """Those that supabase/config.toml declares."""
    buckets.sync(database.url, settings.read(project).storage.declared())
