"""What may be told of an error: one line, without what opens doors."""

from __future__ import annotations

import re
import traceback
from typing import TYPE_CHECKING

from nlctl.errors import NlctlError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

LONGEST = 500
MASK = "•••"

_OPENS_DOORS = re.compile(
    r"sb_secret_[\w-]+"
    r"|eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?"  # tokens
    r"|(?<=://)[^\s/@]*:[^\s@]*(?=@)"  # users and passwords in URLs
    r"|(?i:(?<=bearer )|(?<=password=)|(?<=apikey=)|(?<=token=))[^\s&;,'\"]+"
)


def line_of(error: BaseException, *, folder: Path, secrets: Iterable[str] = ()) -> str:
    """The error's kind and words, and the line of `folder` it came from."""
    said = redact(str(error), secrets)
    if isinstance(error, NlctlError):
        return said
    named = f"{type(error).__name__}: {said}" if said else type(error).__name__
    return f"{named}{_place(error, folder)}"


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text on one line, shortened, with every secret masked."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, MASK)
    line = " ".join(_OPENS_DOORS.sub(MASK, text).split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _place(error: BaseException, folder: Path) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith(str(folder))]
    if not ours:
        return ""
    where = ours[-1].filename.removeprefix(str(folder)).lstrip("/\\")
    return f" ({folder.name}/{where}:{ours[-1].lineno})"
