"""The shape of the local stack: who knows of whom."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from tests.checkouts import ROOT

if TYPE_CHECKING:
    from pathlib import Path

NLCTL = ROOT / "nlctl"
SERVICES = ("auth", "gateway", "mail", "realtime", "rest", "storage")
# The stack's commands, those that need a scratch database, and who looks for its programs or files.
OUTSIDE = {
    "commands/migrate_drift.py",
    "commands/rules.py",
    "commands/stack.py",
    "commands/storage.py",
    "doctor/environment.py",
    "doctor/storage.py",
    "migrations/baseline.py",
    "migrations/drift.py",
    "shells.py",
}


def imported(file: Path) -> set[str]:
    """The packages of nlctl that a file imports from, wherever in it, as a.b.c."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {".".join(name.split(".")[:3]) for name in names}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_knows_nothing_of_the_others(service: str) -> None:
    others = {f"nlctl.local.{other}" for other in SERVICES if other != service}
    files = sorted((NLCTL / "local" / service).rglob("*.py"))

    assert files
    assert {file.name: found for file in files if (found := imported(file) & others)} == {}


def test_few_outside_know_of_the_local_stack() -> None:
    local = NLCTL / "local"
    outside = (file for file in NLCTL.rglob("*.py") if not file.is_relative_to(local))
    knowing = {
        file for file in outside if any(name.startswith("nlctl.local") for name in imported(file))
    }

    assert {file.relative_to(NLCTL).as_posix() for file in knowing} == OUTSIDE
