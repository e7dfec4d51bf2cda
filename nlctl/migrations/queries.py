"""Queries: the SQL files beside this package's modules, by name."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import LiteralString

_FOLDER = Path(__file__).parent / "sql"


@cache
def query(name: str) -> LiteralString:
    """The SQL file of that name."""
    return (_FOLDER / f"{name}.sql").read_text(encoding="utf-8")
