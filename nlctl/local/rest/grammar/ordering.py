"""The parameter `order`."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from nlctl.local.rest.grammar import fields, parameter
from nlctl.local.rest.grammar.scanner import Mismatch, Scanner
from nlctl.local.rest.request import Direction, Nulls, OrderTerm

if TYPE_CHECKING:
    from collections.abc import Iterable


@lru_cache(maxsize=512)
def read(text: str) -> tuple[OrderTerm, ...]:
    return parameter.read("order", text, _order_terms)


def _order_terms(scanner: Scanner) -> tuple[OrderTerm, ...]:
    terms = scanner.several(lambda: _order_term(scanner), lambda: scanner.literal(","))
    return tuple(terms)


def _order_term(scanner: Scanner) -> OrderTerm:
    scanner.blanks()
    term = scanner.choose(
        lambda: scanner.attempt(lambda: _related_order(scanner)),
        lambda: _order_direction(scanner, OrderTerm(fields.field(scanner))),
    )
    scanner.blanks()
    return term


def _related_order(scanner: Scanner) -> OrderTerm:
    relation = fields.name(scanner)
    scanner.literal("(")
    field = fields.field(scanner)
    scanner.literal(")")
    return _order_direction(scanner, OrderTerm(field, relation))


def _order_direction(scanner: Scanner, term: OrderTerm) -> OrderTerm:
    direction = scanner.maybe(lambda: _dotted_word(scanner, Direction))
    nulls = scanner.maybe(lambda: _dotted_word(scanner, Nulls))
    if not (scanner.follows(",") or scanner.ends()):
        raise Mismatch
    return replace(
        term,
        direction=Direction(direction) if direction else None,
        nulls=Nulls(nulls) if nulls else None,
    )


def _dotted_word(scanner: Scanner, words: Iterable[str]) -> str:
    fields.delimiter(scanner)
    return scanner.one_of(words)
