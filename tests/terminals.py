"""Terminals: where a test types nlctl in a project, without starting a process for it."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest import mock

from nlctl import cli

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = """
[targets.staging]
production = false
[targets.production]
"""


@dataclass(frozen=True)
class Answer:
    """What the command wrote, and how it ended."""

    exit_code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The JSON on standard output."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Terminal:
    """A prompt in the folder of a project."""

    folder: Path

    def type(self, *words: str, stdin: str = "") -> Answer:
        """Run `nlctl words…` as the console script does."""
        out, err = io.StringIO(), io.StringIO()
        keyboard = io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")
        with (
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            mock.patch.object(sys, "argv", ["nlctl", *words]),
            mock.patch.object(sys, "stdin", keyboard),
        ):
            exit_code = _run()
        return Answer(exit_code, out.getvalue(), err.getvalue())


def open_in(folder: Path, database_url: str | None = None) -> Terminal:
    """A terminal in a new project; its local stack answers at `database_url`, if given."""
    (folder / "nlctl.toml").write_text(SETTINGS)
    if database_url:
        (folder / ".nlctl").mkdir()
        stack = json.dumps({"database_url": database_url})
        (folder / ".nlctl" / "stack.json").write_text(stack)
    return Terminal(folder)


def _run() -> int:
    try:
        cli.main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0
