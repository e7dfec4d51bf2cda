"""The order of names as English dictionaries have it, whatever the machine is set to."""

from __future__ import annotations

import unicodedata

# Unicode's order of what is neither digit nor letter.
_PUNCTUATION = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$"

Key = tuple[tuple[tuple[int, int, str], ...], str, tuple[bool, ...]]


def by_name(name: str) -> Key:
    """A sort key: letters first, then accents, then small before capital."""
    plain = unicodedata.normalize("NFKD", name)
    letters = [character for character in plain if not unicodedata.combining(character)]
    return (
        tuple(_rank(character) for character in letters),
        "".join(character for character in plain if unicodedata.combining(character)),
        tuple(character.isupper() for character in letters),
    )


def _rank(character: str) -> tuple[int, int, str]:
    if character.isspace():
        return 0, 0, ""
    if character in _PUNCTUATION:
        return 1, _PUNCTUATION.index(character), ""
    return (2 if character.isdigit() else 3), 0, character.casefold()
