"""Findings: what a check saw, how bad it is, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """How bad it is. Only errors fail the command."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """One thing a check saw; `fix` is what to do where it is not ok."""

    check: str
    status: Status
    message: str
    fix: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


def ok(check: str, message: str) -> Finding:
    """Nothing to do."""
    return Finding(check, Status.OK, message)


def warning(check: str, message: str, fix: str) -> Finding:
    """Works today, may hurt tomorrow."""
    return Finding(check, Status.WARNING, message, fix)


def error(check: str, message: str, fix: str) -> Finding:
    """Broken or dangerous now."""
    return Finding(check, Status.ERROR, message, fix)
