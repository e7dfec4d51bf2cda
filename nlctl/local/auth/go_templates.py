"""Go templates as projects write their letters: fields, comparisons, and what depends on them.

Loops, variables, pipes and functions of Go's own are refused by name: better no letter than
another than the real service would send.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nlctl.errors import NlctlError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_ACTION = re.compile(r"(\s*)\{\{(- )?\s*(.*?)\s*( -)?\}\}", re.DOTALL)
_OPERAND = re.compile(r'(?P<field>\.(\w+(\.\w+)*)?)|(?P<text>"[^"\\]*"|`[^`]*`)|(?P<number>-?\d+)')
_WORD = re.compile(_OPERAND.pattern + r"|(?P<name>\w+)")
_BLANKS = re.compile(r"\s+|\Z")
_TRUTHS = {"true": True, "false": False}


class TemplateRefused(NlctlError):
    """A letter's template says something that cannot be followed here."""


@dataclass(frozen=True)
class Choice:
    """`if … else … end`: the first branch whose condition holds; without one, it always does."""

    branches: list[tuple[Condition | None, list[Piece]]]


@dataclass(frozen=True)
class Condition:
    """One operand, or a function of some."""

    function: str | None
    operands: list[Operand]


@dataclass(frozen=True)
class Operand:
    """A field by its path, or a value."""

    path: tuple[str, ...] | None
    value: Any = None


Piece = str | Condition | Choice


@dataclass(frozen=True)
class Template:
    """A template that was understood."""

    pieces: list[Piece]

    def render(self, given: Mapping[str, Any], *, is_html: bool) -> str:
        """The text with `given` in its places."""
        return "".join(_rendered(self.pieces, given, html.escape if is_html else str))


def parse(source: str) -> Template:
    """Understand a template, or say which of its actions is not understood."""
    pieces, ending = _Parser(source).block()
    if ending is not None:
        raise TemplateRefused(f"{{{{ {ending} }}}} belongs to no {{{{ if }}}}.")
    return Template(pieces)


class _Parser:
    """Reads texts and actions in turn."""

    def __init__(self, source: str) -> None:
        self._tokens = iter(_tokens(source))

    def block(self) -> tuple[list[Piece], str | None]:
        """What comes before the action that ends a block, and that action."""
        pieces: list[Piece] = []
        for is_action, written in self._tokens:
            word = written.split(maxsplit=1)[0] if is_action and written else ""
            if not is_action:
                pieces.append(written)
            elif word in {"end", "else"}:
                return pieces, written
            elif word == "if":
                pieces.append(self._choice(written))
            elif not written.startswith("/*"):
                pieces.append(_condition(written, written))
        return pieces, None

    def _choice(self, opening: str) -> Choice:
        branches: list[tuple[Condition | None, list[Piece]]] = []
        asked = opening
        while asked != "end":
            written = asked.removeprefix("else").strip().removeprefix("if").strip()
            condition = None if asked == "else" else _condition(written, asked)
            pieces, ending = self.block()
            if ending is None:
                raise TemplateRefused(f"{{{{ {opening} }}}} has no {{{{ end }}}}.")
            branches.append((condition, pieces))
            asked = ending
        return Choice(branches)


def _tokens(source: str) -> Iterator[tuple[bool, str]]:
    """Texts and actions, with the blanks gone that `{{-` and `-}}` take away."""
    place, eats_blanks = 0, False
    for match in _ACTION.finditer(source):
        blanks, opening, action, closing = match.groups()
        text = source[place : match.start()] + ("" if opening else blanks)
        yield False, text.lstrip() if eats_blanks else text
        yield True, action
        place, eats_blanks = match.end(), closing is not None
    text = source[place:]
    if "{{" in text:
        raise TemplateRefused("An action that begins with {{ does not end.")
    yield False, text.lstrip() if eats_blanks else text


def _condition(written: str, action: str) -> Condition:
    first, *others = list(_words(written, action)) or [""]
    operands = [word for word in others if isinstance(word, Operand)]
    if isinstance(first, Operand) and not others:
        return Condition(None, [first])
    if not (first in _FUNCTIONS and operands and len(operands) == len(others)):
        raise _not_understood(action)
    return Condition(str(first), operands)


def _words(written: str, action: str) -> Iterator[str | Operand]:
    place = 0
    while place < len(written):
        match = _WORD.match(written, place)
        if match is None:
            raise _not_understood(action)
        yield _word(match)
        blanks = _BLANKS.match(written, match.end())
        if blanks is None:
            raise _not_understood(action)
        place = blanks.end()


def _word(match: re.Match[str]) -> str | Operand:
    if match["field"]:
        return Operand(tuple(filter(None, match["field"].split("."))))
    if match["text"]:
        return Operand(None, match["text"][1:-1])
    if match["number"]:
        return Operand(None, int(match["number"]))
    return Operand(None, _TRUTHS[match["name"]]) if match["name"] in _TRUTHS else match["name"]


def _rendered(
    pieces: Sequence[Piece], given: Mapping[str, Any], escape: Callable[[str], str]
) -> Iterator[str]:
    for piece in pieces:
        if isinstance(piece, str):
            yield piece
        elif isinstance(piece, Condition):
            yield escape(_shown(_value(piece, given)))
        else:
            for condition, inner in piece.branches:
                if condition is None or _value(condition, given):
                    yield from _rendered(inner, given, escape)
                    break


def _value(condition: Condition, given: Mapping[str, Any]) -> Any:
    values = [_found(operand, given) for operand in condition.operands]
    return _FUNCTIONS[condition.function](values) if condition.function else values[0]


def _found(operand: Operand, given: Any) -> Any:
    if operand.path is None:
        return operand.value
    for name in operand.path:
        given = given.get(name) if isinstance(given, dict) else None
    return given


def _shown(value: Any) -> str:
    """As Go prints it; what is not there is nothing."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _first_false(values: list[Any]) -> Any:
    return next((value for value in values if not value), values[-1])


def _first_true(values: list[Any]) -> Any:
    return next((value for value in values if value), values[-1])


_FUNCTIONS: dict[str, Callable[[list[Any]], Any]] = {
    "eq": lambda values: values[0] in values[1:],
    "ne": lambda values: values[0] not in values[1:],
    "not": lambda values: not values[0],
    "and": _first_false,
    "or": _first_true,
}


def _not_understood(action: str) -> TemplateRefused:
    return TemplateRefused(
        f"{{{{ {action} }}}} is not understood by the local stack.",
        hint="It knows fields, if and else, and eq, ne, not, and, or.",
    )
