"""What the Storage service is told when it is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MEBIBYTE = 1024 * 1024
DAY = 24 * 60 * 60


@dataclass(frozen=True)
class StorageConfig:
    """Where rows and bytes are kept, and how large an object may be.

    `public_url` is the service's own address as callers know it: resumable uploads are told
    theirs in full.
    """

    database_url: str = field(repr=False)
    folder: Path
    public_url: str
    file_size_limit: int = 50 * MEBIBYTE
    signed_upload_seconds: int = 2 * 60 * 60
    resumable_seconds: int = DAY
    connections: int = 10
