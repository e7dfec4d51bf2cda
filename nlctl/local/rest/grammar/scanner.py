"""A text read from left to right, which knows where it got stuck and what could have followed.

The messages are those of Haskell's Parsec, which PostgREST hands to its clients: among all that
was tried, the attempts that got furthest tell what they expected there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

T = TypeVar("T")
Parser = Callable[[], T]

END = "end of input"


class Mismatch(Exception):
    """The text does not go on as expected; the scanner holds where and what was."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What was found at a place, and what would have been welcome there."""

    position: int
    found: tuple[str, ...]
    welcome: tuple[str, ...] = ()
    found_at_end: str | None = None
    """The character where the text should have ended; it is told in preference to `found`."""


def _furthest(one: Expectation | None, other: Expectation | None) -> Expectation | None:
    if one is None or other is None:
        return one or other
    if one.position != other.position:
        return one if one.position > other.position else other
    return Expectation(
        one.position,
        one.found + other.found,
        one.welcome + other.welcome,
        one.found_at_end or other.found_at_end,
    )


class Scanner:
    """Where reading has come to in a text. What it is asked to read and cannot, raises Mismatch."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self._expectation: Expectation | None = None

    # One piece of text.

    def literal(self, wanted: str) -> str:
        if self.text.startswith(wanted, self.position):
            self._advance(len(wanted))
            return wanted
        self._miss(self._first_difference(wanted), f'"{wanted}"')
        raise Mismatch

    def matching(self, pattern: re.Pattern[str], *names: str) -> str:
        """One or more characters of a kind; `names` says which kind, for whoever got stuck."""
        match = pattern.match(self.text, self.position)
        if match is None:
            self._miss(self.upcoming, *names)
            raise Mismatch
        self._advance(match.end() - self.position)
        self._miss(self.upcoming, *names)
        return match.group()

    def rest(self, pattern: re.Pattern[str]) -> str:
        """Possibly nothing of a kind of characters."""
        match = self.match(pattern)
        return match.group() if match else ""

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """What a pattern finds here, read if it finds anything."""
        match = pattern.match(self.text, self.position)
        if match is not None and match.end() > self.position:
            self._advance(match.end() - self.position)
        return match

    def remainder(self) -> str:
        text = self.text[self.position :]
        self._advance(len(text))
        return text

    def blanks(self) -> None:
        self.rest(_BLANKS)

    # What follows, without reading it.

    @property
    def upcoming(self) -> str:
        return self.text[self.position : self.position + 1]

    def follows(self, wanted: str) -> bool:
        if self.text.startswith(wanted, self.position):
            return True
        self._miss(self._first_difference(wanted), f'"{wanted}"')
        return False

    def ends(self) -> bool:
        if self.position == len(self.text):
            return True
        unwelcome = _shown(self.upcoming, "'")
        self._note(Expectation(self.position, (), (END,), unwelcome))
        return False

    def refuse(self, *names: str, ahead: int = 0) -> Mismatch:
        """What follows, or comes so many characters later, is none of these names."""
        place = self.position + ahead
        self._note(Expectation(place, (self.text[place : place + 1],), names))
        return Mismatch()

    # Several ways to go on.

    def choose(self, *parsers: Parser[T]) -> T:
        """The first way that goes on. One that has read something before failing fails them all."""
        gathered = self._expectation
        start = self.position
        for parser in parsers:
            self._expectation = None
            try:
                value = parser()
            except Mismatch:
                if self.position != start:
                    raise
                gathered = _furthest(gathered, self._expectation)
                continue
            if self.position == start:
                self._expectation = _furthest(gathered, self._expectation)
            return value
        self._expectation = gathered
        raise Mismatch

    def one_of(self, words: Iterable[str]) -> str:
        return self.choose(*(partial(self.literal, str(word)) for word in words))

    def attempt(self, parser: Parser[T]) -> T:
        """As `parser`, but a failure has read nothing, so that another way can be chosen."""
        start = self.position
        try:
            return parser()
        except Mismatch:
            self.position = start
            raise

    def maybe(self, parser: Parser[T]) -> T | None:
        return self.choose(lambda: self.attempt(parser), lambda: None)

    def named(self, name: str, parser: Parser[T]) -> T:
        """As `parser`; one that could not even begin is told under this name."""
        start, before = self.position, self._expectation
        self._expectation = None
        try:
            return parser()
        finally:
            if self.position == start:
                self._expectation = _furthest(before, _renamed(self._expectation, name))

    def several(self, parser: Parser[T], separator: Parser[object]) -> list[T]:
        """One or more, separated."""
        values = [parser()]
        while self.maybe(lambda: (separator(),)) is not None:
            values.append(parser())
        return values

    # What went wrong.

    def explain(self) -> tuple[str, str]:
        """The place, as line and column, and what was found and expected there."""
        expectation = self._expectation or Expectation(self.position, ())
        before = self.text[: expectation.position]
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        return f"(line {line}, column {column})", _sentence(expectation)

    def _advance(self, length: int) -> None:
        self.position += length
        self._expectation = None

    def _miss(self, found: str, *names: str) -> None:
        self._note(Expectation(self.position, (found,), names))

    def _note(self, expectation: Expectation) -> None:
        self._expectation = _furthest(self._expectation, expectation)

    def _first_difference(self, wanted: str) -> str:
        ahead = self.text[self.position : self.position + len(wanted)]
        pairs = zip(ahead, wanted, strict=False)
        return next((found for found, want in pairs if found != want), "")


_BLANKS = re.compile(r"[ \t]+")


def _renamed(expectation: Expectation | None, name: str) -> Expectation | None:
    if expectation is None:
        return None
    found_at_end = expectation.found_at_end
    return Expectation(expectation.position, expectation.found, (name,), found_at_end)


def _sentence(expectation: Expectation) -> str:
    parts = []
    if expectation.found_at_end:
        parts.append(f"unexpected {expectation.found_at_end}")
    elif expectation.found:
        found = expectation.found[0]
        parts.append("unexpected " + (_shown(found, '"') if found else END))
    if names := list(dict.fromkeys(expectation.welcome)):
        parts.append(f"expecting {_listed(names)}")
    return " ".join(parts) or "unknown parse error"


def _listed(names: list[str]) -> str:
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _shown(character: str, quote: str) -> str:
    """As Haskell shows it: beyond ASCII by its number."""
    if character in {quote, "\\"}:
        return f"{quote}\\{character}{quote}"
    plain = character.isascii() and character.isprintable()
    return quote + (character if plain else f"\\{ord(character)}") + quote
