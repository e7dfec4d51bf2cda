"""Squawk: what locks too much, or cannot be undone, in migration files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlctl.errors import SquawkFailed
from nlctl.lints.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nlctl.project import Project


def check(
    project: Project, paths: Sequence[Path], notice: Callable[[str], None] | None = None
) -> list[Finding]:
    """What it says of these files, by the rules of the project's .squawk.toml.

    Where the program is missing, nothing; then `notice` hears how to get it.
    """
    program = _find()
    if paths and program is None and notice:
        notice("Locks and unsafe changes were not looked for: pip install squawk-cli does that.")
    if not paths or program is None:
        return []
    return sorted(map(_as_finding, _run(program, project.root, paths)))


def _find() -> str | None:
    """The program, beside this Python or on the PATH."""
    return shutil.which("squawk", path=str(Path(sys.executable).parent)) or shutil.which("squawk")


def _run(program: str, root: Path, paths: Sequence[Path]) -> list[dict[str, Any]]:
    names = [Path(os.path.relpath(path, root)).as_posix() for path in paths]
    ran = subprocess.run(
        (program, "--reporter", "json", *names),
        cwd=root,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    try:
        complaints: list[dict[str, Any]] = json.loads(ran.stdout)
    except ValueError:
        reason = " ".join(ran.stderr.split()) or f"exit code {ran.returncode}"
        raise SquawkFailed(f"squawk could not check the migrations: {reason}.") from None
    return complaints


def _as_finding(complaint: dict[str, Any]) -> Finding:
    name = complaint["file"]
    return Finding(
        lint=complaint["rule_name"],
        object=f"file {Path(name).name}",
        detail=complaint["message"],
        remedy=complaint["help"] or "Write it otherwise, or say why not in .squawk.toml.",
        file=name,
        line=complaint["line"] + 1,  # squawk counts from nought
    )
