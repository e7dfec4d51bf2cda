"""Markdown: texts and SQL as they can stand in a page or in a cell of a table."""

from __future__ import annotations

import re

_SHORT_TYPES = {
    "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp",
    "time with time zone": "timetz",
    "time without time zone": "time",
    "character varying": "varchar",
    "double precision": "float8",
}
_BACKQUOTES = re.compile("`+")
_CAST = re.compile(r"::[\w. ]+(?:\[\])?$")
# What a sentence names: set_active_theme, auth.users.email, CONFLICT; code already stays as it is.
_NAME = re.compile(
    r"`[^`]*`|\b(?:app|auth|public|storage|realtime)(?:\.\w+)+(?:\(\))?|\b\w+_\w+(?:\(\))?|\b[A-Z]{5,}\b"
)
_SPECIAL = re.compile(r"[<*\[\]]")


def code(text: object) -> str:
    """As code, whatever it holds: between more backquotes than it has in a row."""
    line = " ".join(str(text).split())
    fence = "`" * (1 + max(map(len, _BACKQUOTES.findall(line)), default=0))
    room = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{room}{line}{room}{fence}"


def prose(text: str | None) -> str:
    """A comment as a sentence, the names in it as code."""
    if not text:
        return ""
    line = " ".join(text.split())
    parts, position = [], 0
    for found in _NAME.finditer(line):
        name = found[0] if found[0].startswith("`") else f"`{found[0]}`"
        parts += [_escaped(line[position : found.start()]), name]
        position = found.end()
    return "".join([*parts, _escaped(line[position:])])


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""


def cell(text: str) -> str:
    """Inside a table, where a bar would end the cell even in code."""
    return text.replace("|", "\\|")


def short_type(name: str) -> str:
    """`timestamp with time zone` is timestamptz, and public needs no saying."""
    for long, short in _SHORT_TYPES.items():
        name = name.replace(long, short)
    return name.replace("public.", "")


def value(expression: str | None) -> str:
    """A default without the cast that its column already tells."""
    if expression is None:
        return ""
    bare = _CAST.sub("", expression)
    return "null" if bare == "NULL" else bare


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", text)
