"""Secrets: keys that bypass row level security, where browsers or git can see them.

The local stack's own public keys count too: the variable that holds one today holds a real one
after the next deployment.
"""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from nlctl.doctor.findings import Finding, error, ok

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nlctl.project import Project

CHECK = "secrets"
# Bundlers copy variables with these prefixes into what every visitor downloads.
PUBLIC_PREFIXES = (
    "EXPO_PUBLIC_",
    "GATSBY_",
    "NEXT_PUBLIC_",
    "NUXT_PUBLIC_",
    "PUBLIC_",
    "REACT_APP_",
    "VITE_",
)
BUNDLES = {".next", ".nuxt", ".output", ".svelte-kit", "build", "dist", "out"}
BUNDLES_OF_TWO = {("public", "assets"), ("public", "build")}
SERVED = {".cjs", ".css", ".htm", ".html", ".js", ".json", ".map", ".mjs", ".txt", ".webmanifest"}
NEVER_SERVED = {".git", ".nlctl", ".venv", "node_modules", "venv", "__pycache__"}
LARGEST_FILE = 32 * 1024 * 1024
POWERFUL_ROLES = {"service_role", "supabase_admin"}

_OPAQUE = re.compile(r"sb_secret_[\w-]{6,}")
_TOKEN = re.compile(r"eyJ[\w-]{8,}\.(?P<payload>[\w-]{8,})\.[\w-]*")
_ASSIGNMENT = re.compile(
    r"^[ \t]*(?:export\s+)?(?P<name>[A-Za-z_]\w*)[ \t]*=(?P<value>.*)$", re.MULTILINE
)


@dataclass(frozen=True)
class Key:
    """A secret that was found: its kind and just enough to recognise it."""

    kind: str
    shown: str
    line: int

    def __str__(self) -> str:
        return f"{self.kind} ({self.shown})"


def check(project: Project) -> Iterator[Finding]:
    """Every secret key that browsers or git can see."""
    environments, served = _files(project.root)
    found = [
        *_in_variables(os.environ),
        *_in_public_variables(project, environments),
        *_in_tracked_files(project),
        *_in_bundles(project, served),
    ]
    yield from found
    if not found:
        read = len(environments) + len(served)
        yield ok(CHECK, f"No secret key where browsers or git can see it (files read: {read}).")


def find_keys(text: str) -> Iterator[Key]:
    """The secret keys in a text."""
    for opaque in _OPAQUE.finditer(text):
        yield Key("a secret key", f"{opaque[0][:12]}…", _line(text, opaque.start()))
    for token in _TOKEN.finditer(text):
        role = _role(token["payload"])
        if role in POWERFUL_ROLES:
            yield Key(f"a {role} token", f"{token[0][:6]}…", _line(text, token.start()))


def _role(payload: str) -> str | None:
    """The role that a token's payload claims."""
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(claims["role"])
    except (ValueError, KeyError, TypeError):
        return None


def _in_variables(variables: Mapping[str, str]) -> Iterator[Finding]:
    for name, value in variables.items():
        if name.startswith(PUBLIC_PREFIXES):
            for key in find_keys(value):
                yield _published(f"The environment's {name}", key)


def _in_public_variables(project: Project, files: Iterable[Path]) -> Iterator[Finding]:
    for path in files:
        for line, name, value in _assignments(_read(path)):
            if name.startswith(PUBLIC_PREFIXES):
                for key in find_keys(value):
                    yield _published(f"{_name(project, path)}:{line}: {name}", key)


def _published(where: str, key: Key) -> Finding:
    return error(
        CHECK,
        f"{where} holds {key}; bundlers hand this variable to every visitor.",
        "Put the publishable key there, and revoke this one if it was ever deployed.",
    )


def _in_tracked_files(project: Project) -> Iterator[Finding]:
    for path in _tracked(project.root):
        for key in find_keys(_read(path)):
            yield error(
                CHECK,
                f"{_name(project, path)}:{key.line} holds {key}, and git keeps it.",
                "Take it out (git rm --cached, .gitignore), revoke the key and make a new one.",
            )


def _in_bundles(project: Project, files: Iterable[Path]) -> Iterator[Finding]:
    for path in files:
        for key in find_keys(_read(path)):
            yield error(
                CHECK,
                f"{_name(project, path)}:{key.line} holds {key}, in a bundle.",
                "Find the variable it came from, build again, revoke the key if it was deployed.",
            )


def _files(root: Path) -> tuple[list[Path], list[Path]]:
    """The .env files of a project, and the text files of its bundles."""
    environments, served = [], []
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        folders[:] = sorted(set(folders) - NEVER_SERVED)
        if _is_bundle(here.relative_to(root).parts):
            served += [here / name for name in names if Path(name).suffix in SERVED]
        environments += [here / name for name in names if name.startswith(".env")]
    return environments, served


def _is_bundle(parts: tuple[str, ...]) -> bool:
    return bool(BUNDLES & set(parts) or BUNDLES_OF_TWO & set(pairwise(parts)))


def _tracked(root: Path) -> Iterator[Path]:
    command = ["git", "ls-files", "-z", "--", ".env*", "**/.env*"]
    try:
        listing = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):  # no git here, so git keeps nothing
        return
    for name in filter(None, listing.decode("utf-8", "surrogateescape").split("\0")):
        if (root / name).is_file():
            yield root / name


def _assignments(text: str) -> Iterator[tuple[int, str, str]]:
    """Line, name and value of each variable."""
    for assignment in _ASSIGNMENT.finditer(text):
        yield _line(text, assignment.start("name")), assignment["name"], assignment["value"]


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_FILE:
            return ""
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _name(project: Project, path: Path) -> str:
    return path.relative_to(project.root).as_posix()


def _line(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1
