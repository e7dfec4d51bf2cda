"""What statements call their own parts, and pieces without values that all of them need."""

from __future__ import annotations

import re

from nlctl.local.rest.names import identifier

SHOWN = "pgrst_shown"
RESULT = "pgrst_result"
FIRST = "pgrst_first"
ROW = "pgrst_row"
ROWS = "pgrst_rows"
SCALAR = "pgrst_scalar"
BODY = "pgrst_body"

_WORDS = re.compile(r"[^\W\d][\w$]*( [^\W\d][\w$]*)*(\[\])?")


def write_column(name: str) -> str:
    return "*" if name == "*" else identifier(name)


def write_columns(table: str, columns: tuple[str, ...]) -> str:
    """Columns of a table; where there are none, something for a row to be made of."""
    return ", ".join(f"{table}.{write_column(name)}" for name in columns) or "1"


def write_cast(value: str, type_: str) -> str:
    """Names of types are words that quotes would change, so only words are let through."""
    written = type_ if _WORDS.fullmatch(type_) else identifier(type_)
    return f"cast({value} as {written})"


def write_not(is_negated: bool) -> str:
    return "not " if is_negated else ""
