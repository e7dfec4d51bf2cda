"""Findings: what breaks a promise, where, and how it is mended."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that breaks a promise; `file` is relative to the project, where it is known."""

    lint: str
    object: str
    detail: str
    remedy: str
    file: str | None = None
    line: int | None = None

    @property
    def place(self) -> str:
        """The file and line as people look them up; nothing where they are not known."""
        return f"{self.file}:{self.line}" if self.file else ""
