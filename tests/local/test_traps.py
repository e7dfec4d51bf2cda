"""The traps of emulators, and the tests that keep the local stack out of each.

traps.txt numbers them. Each is called by how the platform behaves; below it stand the tests that
hold the stack to that and, after "apart:", where and why the stack does not follow.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TRAP = re.compile(r"(\d+)\. \S.*\.")
TRAPS = 58


def _read() -> dict[int, list[tuple[str, str]]]:
    """For each trap, the files and names of its tests."""
    register: dict[int, list[tuple[str, str]]] = {}
    for line in (HERE / "traps.txt").read_text(encoding="utf-8").splitlines():
        if trap := TRAP.fullmatch(line):
            register[int(trap[1])] = []
        elif not line.startswith("   apart: "):
            path, name = line.split()
            register[max(register)].append((path, f"test_{name}"))
    return register


REGISTER = _read()


@cache
def _tests_of(path: str) -> frozenset[str]:
    """The names of the tests in a file, whose path begins below tests/."""
    module = ast.parse((HERE.parent / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(module) if isinstance(node, ast.FunctionDef))


def test_every_trap_is_looked_into() -> None:
    assert list(REGISTER) == list(range(1, TRAPS + 1))
    assert all(REGISTER.values())


@pytest.mark.parametrize("number", REGISTER)
def test_what_holds_a_trap_shut_is_there(number: int) -> None:
    gone = [f"{path}::{name}" for path, name in REGISTER[number] if name not in _tests_of(path)]

    assert gone == []
