"""Copies of this checkout, where a test types commands as a person would."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import databases, families

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Checkout:
    """A copy of the project with a stack of its own, at ports of its own from `first_port` on."""

    root: Path
    first_port: int

    def command(self, *arguments: str) -> list[str]:
        """The words that run nlctl."""
        return [sys.executable, "-m", "nlctl", *arguments]

    def nlctl(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run nlctl here, whatever it answers."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.root,
            env=self.environment(**environment),
            capture_output=True,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
        )

    def answer(self, *arguments: str) -> Any:
        """The JSON document of a command that must succeed."""
        done = self.nlctl(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def environment(self, **more: str) -> dict[str, str]:
        """This machine's, without what would lead nlctl elsewhere or make it write at once."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("NLCTL_") and name != "PYTHONUNBUFFERED"
        }
        return {**inherited, "NLCTL_VENV": sys.prefix, **more}

    def remove(self) -> None:
        """Stop its stack and delete it."""
        self.nlctl("down")
        shutil.rmtree(self.root.parent, ignore_errors=True)


def copy() -> Checkout:
    """What git would hand to a newcomer, plus what is new and not ignored."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True).stdout
    root = databases.scratch_folder() / "checkout"
    for name in filter(None, names.decode().split("\0")):
        source = ROOT / name
        if source.is_symlink() or source.is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, root / name, follow_symlinks=False)
    return _settled(root)


def _settled(root: Path) -> Checkout:
    first_port = families.take()
    config = root / "supabase" / "config.toml"
    moved = families.move(config.read_text(encoding="utf-8"), first_port)
    config.write_text(moved, encoding="utf-8")
    return Checkout(root, first_port)
