"""One parameter, read from left to right; what cannot be read is told as PostgREST tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from nlctl.local.rest import errors
from nlctl.local.rest.grammar.scanner import Mismatch, Scanner

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


DEEPEST = 64
"""Levels of embeds or logic; beyond, PostgreSQL's own parser would run out of stack."""


def read(what: str, text: str, parser: Callable[[Scanner], T], *, before: str = "") -> T:
    """`text` read by a parser that need not read all of it. `before` belongs to it unsaid."""
    scanner = Scanner(before + text)
    try:
        return parser(scanner)
    except Mismatch as mismatch:
        place, details = scanner.explain()
        raise errors.syntax(f'"failed to parse {what} ({text})" {place}', details) from mismatch
