"""A value of any type, for what must have one and may have any."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

NUMBERS = re.compile(r"smallint|integer|bigint|numeric|real|double")
TEXTS = re.compile(r"text|character")
VALUES = {
    "boolean": False,
    "json": {},
    "jsonb": {},
    "date": "2000-01-01",
    "timestamp with time zone": "2000-01-01T00:00:00Z",
    "timestamp without time zone": "2000-01-01T00:00:00",
}


def value(kind: str) -> Any:
    """Some value of the type, as JSON would hold it."""
    if kind == "uuid":
        return str(uuid4())
    if NUMBERS.match(kind):
        return 1
    return [] if kind.endswith("[]") else VALUES.get(kind, "a")


def another(kind: str, known: Any) -> Any:
    """A value that is not `known`, where that is easy to find; else `known`."""
    if known is None:
        return None
    if kind == "boolean":
        return False
    if kind == "uuid":
        return str(uuid4())
    if NUMBERS.match(kind):
        return known + 1_000_000
    return f"{known}_{uuid4().hex[:6]}" if TEXTS.match(kind) else known
