"""Names, and fields with their JSON paths: what every parameter is made of."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from nlctl.local.rest.grammar import parameter
from nlctl.local.rest.grammar.scanner import Mismatch, Scanner
from nlctl.local.rest.request import Field, JsonStep

if TYPE_CHECKING:
    from collections.abc import Callable

    from nlctl.local.rest.request import Path

IDENTIFIER = re.compile(r"(?:[^\W\d_]|[0-9_ $])+")
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_JSON_KEY = re.compile(r"[^(\-:.,>)]+")
_DIGITS = re.compile(r"[0-9]+")
_FIELD_NAME = "field name (* or [a..z0..9_$])"
_DELIMITER = "delimiter (.)"


@lru_cache(maxsize=512)
def tree_path(key: str) -> tuple[Path, Field]:
    """The embed that a key leads to, and the field in it."""
    return parameter.read("tree path", key, _path_and_field)


def path(key: str) -> Path:
    """The embed that `rel.order` or `rel.limit` speaks of."""
    return tree_path(key)[0]


@lru_cache(maxsize=512)
def names(what: str, text: str) -> tuple[str, ...]:
    """What `columns` and `on_conflict` list."""
    listed = parameter.read(f"{what} parameter", text, _listed_names)
    return tuple(dict.fromkeys(listed))


def name(scanner: Scanner) -> str:
    """A quoted name, or words joined by dashes; an arrow is no dash."""
    return scanner.named(
        _FIELD_NAME,
        lambda: scanner.choose(lambda: quoted_text(scanner), lambda: _dashed(scanner, word)),
    )


def word(scanner: Scanner) -> str:
    return scanner.matching(IDENTIFIER, "letter", "digit").strip()


def _dashed(scanner: Scanner, piece: Callable[[Scanner], str]) -> str:
    return "-".join(scanner.several(lambda: piece(scanner), lambda: _dash(scanner)))


def _dash(scanner: Scanner) -> None:
    scanner.literal("-")
    if scanner.upcoming == ">":
        raise scanner.refuse()


def quoted_text(scanner: Scanner) -> str:
    match = scanner.match(QUOTED)
    if match is None:
        scanner.literal('"')
        raise scanner.refuse('"\\""', ahead=len(scanner.text) - scanner.position)
    return ESCAPE.sub(r"\1", match[1])


def delimiter(scanner: Scanner) -> str:
    return scanner.named(_DELIMITER, lambda: scanner.literal("."))


def comma(scanner: Scanner) -> None:
    scanner.blanks()
    scanner.literal(",")
    scanner.blanks()


def dotted_names(scanner: Scanner) -> list[str]:
    return scanner.several(lambda: name(scanner), lambda: delimiter(scanner))


def _listed_names(scanner: Scanner) -> list[str]:
    return scanner.several(lambda: name(scanner), lambda: comma(scanner))


def _path_and_field(scanner: Scanner) -> tuple[Path, Field]:
    *path, name = dotted_names(scanner)
    return tuple(path), Field(name, _json_path(scanner))


def field(scanner: Scanner) -> Field:
    scanner.blanks()
    field = Field(name(scanner), _json_path(scanner))
    scanner.blanks()
    return field


def _json_path(scanner: Scanner) -> tuple[JsonStep, ...]:
    steps = []
    while scanner.follows("->>") or scanner.follows("->"):
        as_text = scanner.follows("->>")
        scanner.literal("->>" if as_text else "->")
        steps.append(_json_step(scanner, as_text=as_text))
    return tuple(steps)


def _json_step(scanner: Scanner, *, as_text: bool) -> JsonStep:
    return scanner.choose(
        lambda: JsonStep(scanner.attempt(lambda: _json_index(scanner)), True, as_text),
        lambda: JsonStep(scanner.attempt(lambda: _json_key(scanner)), False, as_text),
    )


def _json_index(scanner: Scanner) -> str:
    sign = "-" if scanner.maybe(lambda: scanner.literal("-")) else ""
    digits = scanner.matching(_DIGITS, "digit")
    if scanner.upcoming == ")" or any(scanner.follows(end) for end in ("->", "::", ".", ",")):
        return sign + digits
    if scanner.ends():
        return sign + digits
    raise Mismatch


def _json_key(scanner: Scanner) -> str:
    return scanner.named(
        "any non reserved character different from: .,>()",
        lambda: scanner.choose(lambda: quoted_text(scanner), lambda: _dashed(scanner, _json_word)),
    )


def _json_word(scanner: Scanner) -> str:
    return scanner.matching(_JSON_KEY).strip()
