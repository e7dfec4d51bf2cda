"""Texts that people wrote: read as UTF-8, their accents whole."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nlctl.errors import DamagedText

if TYPE_CHECKING:
    from pathlib import Path

# The second byte of an accented letter, as latin1 and windows-1252 show it.
_SECOND_BYTE = "\u0080-\u00bf" + bytes(range(0x80, 0xA0)).decode("cp1252", "ignore")
# UTF-8 once read as one of them, or replaced for want of a character.
_MISREAD = re.compile(f"\ufffd|[ÂÃ][{_SECOND_BYTE}]|Å[“’\u0092\u0093]|â€")
# « pr?f » and « ?tat »: what remains of an accent that crossed an ASCII terminal.
_LOST_LETTER = re.compile(r"[^\W\d_]\?[^\W\d_]|^\?[^\W\d_]")


def read(path: Path) -> str:
    """The file's text; refuses what is not UTF-8, or was damaged before it became so."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise DamagedText(
            f"{path.name}:{line}: not UTF-8.", hint="Save the file as UTF-8."
        ) from error
    for number, line_text in enumerate(text.splitlines(), start=1):
        damage = find_misreading(line_text)
        if damage:
            raise DamagedText(
                f"{path.name}:{number}: damaged accents ({damage!r}).",
                hint="Type the text again, in UTF-8.",
            )
    return text


def find_misreading(text: str) -> str | None:
    """The first trace of UTF-8 read as something else (« Ã© »)."""
    found = _MISREAD.search(text)
    return found[0] if found else None


def find_lost_letter(text: str) -> str | None:
    """The first word where a question mark replaces a letter (« pr?f »), addresses left out."""
    words = (word for word in text.split() if "/" not in word and "=" not in word)
    return next((word for word in words if _LOST_LETTER.search(word)), None)
