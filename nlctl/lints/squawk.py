"""Squawk: what locks too much, or cannot be undone, in migration files."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nlctl.errors import SquawkFailed
from nlctl.lints.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nlctl.project import Project


def find() -> str | None:
    """The program, beside this Python or on the PATH; `pip install squawk-cli` brings it."""
    return shutil.which("squawk", path=str(Path(sys.executable).parent)) or shutil.which("squawk")


def check(program: str, project: Project, paths: Sequence[Path]) -> list[Finding]:
    """What it says of these files, by the rules of the project's .squawk.toml."""
    if not paths:
        return []
    names = [path.relative_to(project.root).as_posix() for path in paths]
    ran = subprocess.run(
        (program, "--reporter", "json", *names),
        cwd=project.root,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    try:
        complaints = json.loads(ran.stdout)
    except ValueError:
        reason = " ".join(ran.stderr.split()) or f"exit code {ran.returncode}"
        raise SquawkFailed(f"squawk could not check the migrations: {reason}.") from None
    return sorted(map(_as_finding, complaints))


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
