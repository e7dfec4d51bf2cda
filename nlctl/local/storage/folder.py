"""Folder: the bytes of objects, one file for each version, named by the version alone.

    incoming/   what is still arriving; whatever is left there by a crash belongs to nobody
    objects/    what is complete, in folders by the first two letters of the version

A file is written in incoming/, brought to the disk, and moved. Only then is its row committed, and
only after that is the file of a replaced version removed: a crash leaves the old object or the new
one, at worst with a file that no row names (`nlctl doctor --fix` removes those).

A small file moves first, since a file system with a journal then brings it and both its names to
the disk at once: 0.6 ms instead of 1.0 on ext4. Nobody looks there before its row is committed.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar
from uuid import UUID, uuid4

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from pathlib import Path

WRITE_SIZE = 1024 * 1024
READ_SIZE = 256 * 1024
SMALL = 64 * 1024
"""What is written and moved without a thread: only bringing it to the disk takes time."""
MOVES_OPEN_FILES = os.name != "nt"
THREADS = 8
INCOMING = "incoming"
OBJECTS = "objects"
SHELVES = tuple(f"{number:02x}" for number in range(256))
OWNER_ONLY = 0o700
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kept:
    """A complete file: its version, and what was counted while it was written."""

    version: str
    size: int
    digest: str
    kept_at: float


class Folder:
    """The storage folder of one project; one process writes it at a time."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.incoming = root / INCOMING
        self._shelves = {name: _Shelf(root / OBJECTS / name) for name in SHELVES}
        self._threads = ThreadPoolExecutor(THREADS, "storage")

    def open(self) -> None:
        """Make the folder, and throw away what never became complete."""
        self.incoming.mkdir(mode=OWNER_ONLY, parents=True, exist_ok=True)
        for shelf in self._shelves.values():
            shelf.path.mkdir(OWNER_ONLY, parents=True, exist_ok=True)
        for left in self.incoming.glob("*.new"):
            left.unlink(missing_ok=True)

    def close(self) -> None:
        """Let the threads go, then what they worked with."""
        self._threads.shutdown()
        for shelf in self._shelves.values():
            shelf.close()

    def path(self, version: str) -> Path:
        """Where the file of a version is."""
        return place(self._root, version)

    async def do(self, act: Callable[..., T], *arguments: Any) -> T:
        """Run what waits for the disk in a thread."""
        return await self.begin(act, *arguments)

    def begin(self, act: Callable[..., T], *arguments: Any) -> asyncio.Future[T]:
        """The same, without waiting for it."""
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._threads, partial(act, *arguments))

    async def keep(self, chunks: AsyncIterator[bytes]) -> Kept:
        """Write what arrives to a new file, complete and on the disk when this returns."""
        with _New(self, str(uuid4())) as new:
            await new.write(chunks)
            return await new.finish()

    async def adopt(self, path: Path, version: str) -> Kept:
        """Make a file of incoming/ a complete one."""
        return await self.do(_adopt, path, self.shelf(version), version)

    async def copy(self, version: str) -> Kept:
        """The same bytes again, as a version of its own."""
        made = str(uuid4())
        return await self.do(self._copy, version, self.shelf(made), made)

    async def remove(self, versions: Iterable[str | None]) -> None:
        """Remove files that no row names any more."""
        known = [version for version in versions if version]
        if known:
            await self.do(self._remove, known)

    async def open_file(self, version: str) -> BinaryIO:
        """The file of a version; raises FileNotFoundError."""
        return await self.do(self._open_file, version)

    def shelf(self, version: str) -> _Shelf:
        """Where a complete file of this version belongs; for the loop's thread."""
        shelf = self._shelves[version[:2]]
        shelf.open()
        return shelf

    def _copy(self, version: str, shelf: _Shelf, made: str) -> Kept:
        path = self.incoming / f"{made}.new"
        try:
            shutil.copyfile(self.path(version), path)
            return _adopt(path, shelf, made)
        finally:
            path.unlink(missing_ok=True)

    def _remove(self, versions: Iterable[str]) -> None:
        for version in versions:
            # Where the system keeps files that are being read, or the version is not one of ours,
            # the file stays; doctor finds it.
            with contextlib.suppress(OSError, ValueError):
                self.path(version).unlink(missing_ok=True)

    def _open_file(self, version: str) -> BinaryIO:
        try:
            return self.path(version).open("rb", buffering=0)
        except ValueError as error:
            raise FileNotFoundError(version) from error


class _Shelf:
    """A folder of complete files, which stays open once one was put in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    def open(self) -> None:
        if self._handle is None and os.name != "nt":
            self._handle = os.open(self.path, os.O_RDONLY)

    def sync(self) -> None:
        """Make the names in it outlive a power cut, where the system can be asked to."""
        if self._handle is not None:
            os.fsync(self._handle)

    def close(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)


class _New:
    """A file that is being written: a small one at once, a large one piece by piece in a thread.

    By the system's own calls: between any two of them threads take turns, and a file object makes
    more of them.
    """

    def __init__(self, folder: Folder, version: str) -> None:
        self._folder = folder
        self._version = version
        self._path = folder.incoming / f"{version}.new"
        self._handle: int | None = None
        self._is_there = False
        self._digest = hashlib.md5(usedforsecurity=False)
        self._size = 0
        self._buffer = bytearray()
        self._writing: asyncio.Future[Any] | None = None

    def __enter__(self) -> _New:
        return self

    def __exit__(self, *_: object) -> None:
        if self._writing and not self._writing.done():
            # Cancelled in the middle: the thread still holds the file, and may yet complete it.
            self._writing.add_done_callback(self._abandon)
        else:
            self._discard()

    async def write(self, chunks: AsyncIterator[bytes]) -> None:
        async for chunk in chunks:
            self._buffer += chunk
            if len(self._buffer) >= WRITE_SIZE:
                await self._hand_over()

    async def finish(self) -> Kept:
        await self._written()
        shelf = self._folder.shelf(self._version)
        if MOVES_OPEN_FILES and self._handle is None and len(self._buffer) <= SMALL:
            self._append(self._buffer)
            self._move(shelf)
            finishing = self._folder.begin(self._bring_to_disk, shelf)
        else:
            finishing = self._folder.begin(self._finish, shelf)
        self._writing = finishing
        await asyncio.shield(finishing)
        self._is_there = False
        return Kept(self._version, self._size, self._digest.hexdigest(), time.time())

    async def _hand_over(self) -> None:
        """Give what was gathered to a thread, once it has written what it was given before."""
        await self._written()
        piece, self._buffer = self._buffer, bytearray()
        self._writing = self._folder.begin(self._append, piece)

    async def _written(self) -> None:
        if self._writing:
            await asyncio.shield(self._writing)
            self._writing = None

    def _append(self, piece: bytearray) -> None:
        if self._handle is None:
            self._handle = os.open(self._path, NEW, 0o666)
            self._is_there = True
        self._digest.update(piece)
        self._size += len(piece)
        _write_all(self._handle, piece)

    def _finish(self, shelf: _Shelf) -> None:
        self._append(self._buffer)
        self._sync()
        self._close()
        self._move(shelf)
        shelf.sync()

    def _bring_to_disk(self, shelf: _Shelf) -> None:
        self._sync()
        shelf.sync()

    def _sync(self) -> None:
        if self._handle is not None:
            os.fsync(self._handle)

    def _move(self, shelf: _Shelf) -> None:
        self._path = self._path.replace(shelf.path / self._version)

    def _abandon(self, written: asyncio.Future[Any]) -> None:
        if not written.cancelled():
            written.exception()  # which is nobody's business any more
        self._discard()

    def _discard(self) -> None:
        self._close()
        if self._is_there:
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)

    def _close(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)


def place(root: Path, version: str) -> Path:
    """Where the file of a version is; ValueError for a version that is no UUID and has none."""
    name = str(UUID(version))
    return root / OBJECTS / name[:2] / name


def age(path: Path) -> float:
    """Seconds since the file was last written."""
    return time.time() - path.stat().st_mtime


def _write_all(handle: int, piece: bytearray) -> None:
    rest = memoryview(piece)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _adopt(path: Path, shelf: _Shelf, version: str) -> Kept:
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("r+b") as file:
        while chunk := file.read(WRITE_SIZE):
            digest.update(chunk)
        os.fsync(file.fileno())
        size = file.tell()
    path.replace(shelf.path / version)
    shelf.sync()
    return Kept(version, size, digest.hexdigest(), time.time())
