"""Environment: this machine, its Python and its PostgreSQL programs."""

from __future__ import annotations

import locale
import platform
import re
import shutil
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from nlctl.doctor.findings import Finding, error, ok, warning
from nlctl.errors import InvalidInput
from nlctl.local import binaries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nlctl.project import Project

OLDEST_PYTHON = (3, 11)
MEGABYTE = 1024 * 1024
DISK_NEEDED = 200 * MEGABYTE
DISK_WANTED = 1024 * MEGABYTE
_PINNED = re.compile(
    r"^(?P<name>[\w.-]+)(?:\[.*?\])?==(?P<version>[^\s;\\]+)(?P<marker>\s*;)?", re.MULTILINE
)


def check(project: Project) -> Iterator[Finding]:
    """Whether nlctl can work here."""
    yield check_python()
    yield check_locale()
    yield check_disk(project)
    yield check_programs()
    yield from check_packages(project)


def check_python() -> Finding:
    """Python's version, and what it runs on."""
    version = platform.python_version()
    if sys.version_info < OLDEST_PYTHON:
        return error("python", f"Python {version} is too old.", "Install Python 3.11 or later.")
    return ok("python", f"Python {version} on {platform.system()} {platform.machine()}.")


def check_locale() -> Finding:
    """Whether programs that follow the locale keep accents; nlctl itself always does."""
    encoding = locale.getencoding()
    if encoding.lower() in {"ascii", "ansi_x3.4-1968", "646", "us-ascii"}:
        return warning(
            "locale",
            "The locale knows no accents. nlctl writes UTF-8 all the same; other programs may not.",
            "Choose a UTF-8 locale, for example: export LC_ALL=C.UTF-8",
        )
    return ok("locale", f"The locale writes {encoding}, nlctl always UTF-8.")


def check_disk(project: Project) -> Finding:
    """Whether the local database has room."""
    free = shutil.disk_usage(project.root).free
    message = f"{free // MEGABYTE} MB of disk are free."
    fix = "Make room before the local database stops."
    if free < DISK_NEEDED:
        return error("disk", message, fix)
    return warning("disk", message, fix) if free < DISK_WANTED else ok("disk", message)


def check_programs() -> Finding:
    """Which PostgreSQL the local stack would run."""
    try:
        found = binaries.find()
    except InvalidInput as failure:
        return error("postgresql", failure.message, failure.hint or "Reinstall nlctl.")
    return ok("postgresql", f"The local stack runs PostgreSQL {found.version}.")


def check_packages(project: Project) -> Iterator[Finding]:
    """Whether the environment that ./dev made still has what the lock file names."""
    lock = project.root / "requirements.lock"
    if not lock.is_file() or not Path(sys.prefix).is_relative_to(project.root):
        return
    stale = sorted(_out_of_step(lock.read_text(encoding="utf-8")))
    if stale:
        yield warning(
            "packages",
            f"Not what the lock file names: {', '.join(stale)}.",
            "Delete .venv and run: ./dev nlctl doctor",
        )
    else:
        yield ok("packages", "The packages are those of the lock file.")


def _out_of_step(lock: str) -> Iterator[str]:
    for pinned in _PINNED.finditer(lock):
        installed = _installed(pinned["name"])
        is_elsewhere = installed is None and pinned["marker"]
        if installed != pinned["version"] and not is_elsewhere:
            yield pinned["name"]


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
