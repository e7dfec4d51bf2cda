"""Storage: whether the local stack's objects and their files are all there, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlctl.doctor.findings import Finding, error, ok, warning
from nlctl.local.stack import Stack
from nlctl.local.storage import orphans

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg import Connection

    from nlctl.local.storage.orphans import Orphans
    from nlctl.project import Project
    from nlctl.targets import Target

SHOWN = 3


def check(
    project: Project, target: Target, connection: Connection, *, fix: bool = False
) -> Iterator[Finding]:
    """The objects of the local stack; those of others are not on this machine."""
    folder = Stack(project).objects
    if not target.is_local or not folder.is_dir():
        return
    found = orphans.find(folder, connection)
    yield check_files(found, fix=fix)
    if found.objects:
        shown = ", ".join(found.objects[:SHOWN])
        more = len(found.objects) - SHOWN
        yield error(
            "objects",
            f"The files of {len(found.objects)} objects are gone: {shown}"
            f"{f' and {more} more' if more > 0 else ''}.",
            "Upload them again, or remove them through the API.",
        )


def check_files(found: Orphans, *, fix: bool) -> Finding:
    """Whether crashes have left files behind; `fix` removes them."""
    if not found.files:
        return ok("storage", "Every file of Storage belongs to an object.")
    told = f"{len(found.files)} files of Storage ({found.size} bytes) belong to no object"
    if fix:
        found.remove_files()
        return ok("storage", f"{told}; they were removed.")
    return warning("storage", f"{told}.", "Run: nlctl doctor --fix")
