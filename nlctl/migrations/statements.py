"""Statements: a script taken apart the way the server reads it, each piece knowing its place."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nlctl.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# What PostgreSQL takes for white space; a no-break space, for one, belongs to identifiers.
SPACE = " \t\n\r\f\v"

_STRING = r"'(?:[^']++|'')*+'"
_ESCAPES = r"'(?:[^'\\]++|\\.|'')*+'"
# A literal goes on after a line break, and keeps the escapes of its beginning.
_CONTINUES = rf"(?:(?:[ \t\f\v]|--[^\n\r]*)*[\n\r](?:[ \t\n\r\f\v]|--[^\n\r]*[\n\r])*{_ESCAPES})*"

_TOKEN = re.compile(
    rf"""
      (?P<space>[ \t\n\r\f\v]+)
    | (?P<comment>--[^\n\r]*)
    | (?P<block>/\*)
    | (?P<escapes>[eE]{_ESCAPES}{_CONTINUES})
    | (?P<string>{_STRING})
    | (?P<identifier>"(?:[^"]++|"")*+")
    | (?P<dollar>\$(?:[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_\u0080-\U0010ffff]*)?\$)
    | (?P<unclosed>[eE]?'|")
    | (?P<word>[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_$\u0080-\U0010ffff]*)
    | (?P<other>[0-9]+|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_BLOCK_EDGE = re.compile(r"/\*|\*/")

_ENDS_TRANSACTION = {"begin", "start", "commit", "end", "abort", "rollback", "prepare"}
_OPENS = {("begin",), ("begin", "work"), ("begin", "transaction"), ("start", "transaction")}
_CLOSES = {
    (word, *more) for word in ("commit", "end") for more in ((), ("work",), ("transaction",))
}
_BUILDS_INDEXES = {"create", "drop", "reindex", "alter"}
_STANDS_ALONE = {
    ("alter", "system"),
    ("create", "database"),
    ("drop", "database"),
    ("create", "tablespace"),
    ("drop", "tablespace"),
}


@dataclass(frozen=True)
class Place:
    """Where something stands in a script; both count from one."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.line}:{self.column}"


@dataclass(frozen=True)
class Statement:
    """One statement without its final semicolon; `offset` is where its text starts in the script.

    `begins` is where its first word stands: comments above a statement belong to its text.
    """

    text: str
    offset: int
    begins: int
    words: tuple[str, ...] = field(repr=False)

    @property
    def controls_transaction(self) -> bool:
        """Whether it would begin or end the transaction that the file runs in."""
        first, second = (*self.words, "", "")[:2]
        if first == "prepare":
            return second == "transaction"
        if first == "rollback":
            return not {"to"} & set(self.words[1:3])
        return first in _ENDS_TRANSACTION

    @property
    def is_concurrent(self) -> bool:
        """Whether it builds or drops an index (or a partition) without blocking writers."""
        return self.words[:1] != () and (
            self.words[0] in _BUILDS_INDEXES and "concurrently" in self.words[1:]
        )

    @property
    def stands_alone(self) -> bool:
        """Whether the server refuses it inside a transaction."""
        return (
            self.is_concurrent or self.words[:1] == ("vacuum",) or self.words[:2] in _STANDS_ALONE
        )

    @property
    def streams(self) -> bool:
        """Whether it expects rows to follow it, as psql would send them."""
        return self.words[:1] == ("copy",) and bool({"stdin", "stdout"} & set(self.words))


def split(script: str) -> tuple[Statement, ...]:
    """The statements of a script, in order; pieces that hold only comments are left out."""
    return tuple(_statements(script))


def unwrap(script: Sequence[Statement]) -> tuple[Statement, ...]:
    """The same without each plain begin and the commit that belongs to it."""
    opened: int | None = None
    left_out: set[int] = set()
    for index, statement in enumerate(script):
        if opened is None and statement.words in _OPENS:
            opened = index
        elif opened is not None and statement.words in _CLOSES:
            left_out |= {opened, index}
            opened = None
    return tuple(each for index, each in enumerate(script) if index not in left_out)


def join(texts: Iterable[str]) -> str:
    """One script of several statements. Semicolons stand below: a comment may end a statement."""
    return "".join(f"{text}\n;\n" for text in texts)


def place(script: str, offset: int) -> Place:
    """Line and column of a position in a script."""
    start_of_line = script.rfind("\n", 0, offset) + 1
    return Place(script.count("\n", 0, offset) + 1, offset - start_of_line + 1)


@dataclass
class _Reading:
    """What the splitter knows of the statement it is in the middle of."""

    start: int
    begins: int | None = None
    words: list[str] = field(default_factory=list)
    parentheses: int = 0
    blocks: int = 0
    after: str = ""

    def take(self, kind: str, text: str, at: int) -> None:
        if self.begins is None:
            self.begins = at
        if kind == "word":
            word = text.lower()
            self._take_word(word)
        elif text == "(":
            self.parentheses += 1
        elif text == ")":
            self.parentheses = max(0, self.parentheses - 1)
        self.after = text.lower()

    def _take_word(self, word: str) -> None:
        self.words.append(word)
        if self.after in {".", "as"}:  # a column may be called `end`
            return
        if self.blocks:
            self.blocks += {"case": 1, "end": -1}.get(word, 0)
        elif word == "atomic" and self.after == "begin" and self._defines_routine():
            self.blocks = 1

    def _defines_routine(self) -> bool:
        return self.words[0] == "create" and bool({"function", "procedure"} & set(self.words[1:4]))

    @property
    def is_open(self) -> bool:
        return bool(self.parentheses or self.blocks)


def _statements(script: str) -> Iterator[Statement]:
    reading = _Reading(0)
    for kind, start, end in _tokens(script):
        if kind in {"space", "comment"}:
            continue
        text = script[start:end]
        if text == ";" and not reading.is_open:
            yield from _finish(script, reading, start)
            reading = _Reading(end)
        else:
            reading.take(kind, text, start)
    yield from _finish(script, reading, len(script))


def _finish(script: str, reading: _Reading, end: int) -> Iterator[Statement]:
    if reading.begins is None:
        return
    piece = script[reading.start : end]
    offset = reading.start + len(piece) - len(piece.lstrip(SPACE))
    yield Statement(piece.strip(SPACE), offset, reading.begins, tuple(reading.words))


def _tokens(script: str) -> Iterator[tuple[str, int, int]]:
    """Kind, start and end of everything in the script, comments and white space included."""
    position = 0
    while found := _TOKEN.match(script, position):
        kind, start, position = str(found.lastgroup), found.start(), found.end()
        if kind == "block":
            kind, position = "comment", _end_of_comment(script, start)
        elif kind == "dollar":
            position = _end_of_dollar_quote(script, found)
        elif kind == "unclosed":
            raise _never_closed(script, start, "quote")
        yield kind, start, position


def _end_of_comment(script: str, start: int) -> int:
    depth = 0
    for edge in _BLOCK_EDGE.finditer(script, start):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    raise _never_closed(script, start, "comment")


def _end_of_dollar_quote(script: str, opening: re.Match[str]) -> int:
    closing = script.find(opening.group(), opening.end())
    if closing < 0:
        raise _never_closed(script, opening.start(), f"{opening.group()} quote")
    return closing + len(opening.group())


def _never_closed(script: str, start: int, what: str) -> InvalidInput:
    return InvalidInput(f"{place(script, start)}: this {what} is never closed.")
