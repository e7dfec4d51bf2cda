"""Orphans: files that no row names, and rows whose file is gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlctl.local.storage import folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from psycopg import Connection

SETTLED_SECONDS = 600
"""After so long without a write, a file's row would have been committed."""


@dataclass(frozen=True)
class Orphans:
    """What does not belong together; files that may still get their row are left out."""

    files: tuple[Path, ...]
    objects: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes that the files take."""
        return sum(path.stat().st_size for path in self.files)

    def remove_files(self) -> None:
        """Remove the files; the rows stay, for somebody to upload their objects again."""
        for path in self.files:
            path.unlink(missing_ok=True)


def find(
    root: Path, connection: Connection, *, settled_seconds: float = SETTLED_SECONDS
) -> Orphans:
    """Compare the folder with the rows, which `connection` must be allowed to read."""
    # Files first: whatever is committed after this look has a younger file.
    kept = [path for path in _files(root) if folder.age(path) >= settled_seconds]
    rows: list[tuple[str | None, str]] = connection.execute(
        "select version, bucket_id || '/' || name from storage.objects order by 2"
    ).fetchall()
    named = {version for version, _ in rows}
    return Orphans(
        tuple(path for path in kept if path.name not in named),
        tuple(name for version, name in rows if not _is_kept(root, version)),
    )


def _files(root: Path) -> Iterator[Path]:
    return (path for path in (root / folder.OBJECTS).glob("*/*") if path.is_file())


def _is_kept(root: Path, version: str | None) -> bool:
    try:
        return folder.place(root, version or "").is_file()
    except ValueError:
        return False
