"""Disks that are soon full."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO
    from pathlib import Path

PIECES = (1 << 20, 1 << 12, 1)


@contextmanager
def small(folder: Path, size: str) -> Iterator[Path]:
    """A disk of this size at a new folder, for the length of the block."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", str(folder)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk needs the right to mount one")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """No room is left on the disk of `folder` until the block ends."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for piece in PIECES:
            _fill(file, bytes(piece))
    try:
        yield
    finally:
        filler.unlink()


def _fill(file: FileIO, piece: bytes) -> None:
    try:
        while file.write(piece) == len(piece):
            pass
    except OSError:
        return
