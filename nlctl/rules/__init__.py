"""Rules: pages for people about what the database holds, one for each domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlctl.rules import chapters, folder
from nlctl.rules.atlas import Atlas
from nlctl.rules.folder import Page, State, write

if TYPE_CHECKING:
    from pathlib import Path

    from nlctl.catalogue import Catalogue
    from nlctl.project import Project

__all__ = ["Page", "State", "folder_of", "plan", "write"]


def folder_of(project: Project, name: str) -> Path:
    """Where the pages of one project of nlctl.toml lie: the default one's are at the top."""
    root = project.root / "rules"
    return root if name == project.default_name else root / name


def plan(project: Project, name: str, catalogue: Catalogue) -> list[Page]:
    """Every page as it is and as this catalogue wants it."""
    written = chapters.read(project.migrations(name))
    atlas = Atlas(catalogue, written, project.exposed_schemas)
    return folder.plan(folder_of(project, name), name, atlas)
