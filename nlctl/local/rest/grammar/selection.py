"""The parameter `select`: columns, aggregates, and embeds within embeds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from nlctl.local.rest.grammar import fields, parameter
from nlctl.local.rest.grammar.scanner import Mismatch, Parser, Scanner
from nlctl.local.rest.request import Aggregate, Column, Embed, Field, Join

if TYPE_CHECKING:
    from collections.abc import Callable

    from nlctl.local.rest.request import SelectItem


@dataclass(frozen=True, slots=True)
class _EmbedParameter:
    hint: str | None = None
    join: Join | None = None


@lru_cache(maxsize=512)
def read(text: str) -> tuple[SelectItem, ...]:
    return parameter.read("select parameter", text, lambda scanner: _items(scanner, depth=0))


def _items(scanner: Scanner, *, depth: int) -> tuple[SelectItem, ...]:
    if depth > parameter.DEEPEST:
        raise scanner.refuse(f"at most {parameter.DEEPEST} levels")
    ways: tuple[Parser[list[SelectItem]], ...] = (
        lambda: scanner.several(lambda: _item(scanner, depth), lambda: fields.comma(scanner)),
        list,
    )
    return tuple(scanner.choose(*ways))


def _item(scanner: Scanner, depth: int) -> SelectItem:
    ways: tuple[Parser[SelectItem], ...] = (
        lambda: _embed(scanner, _spread_head, depth),
        lambda: _embed(scanner, _embed_head, depth),
        lambda: _column(scanner),
    )
    return scanner.choose(*ways)


def _embed(scanner: Scanner, head: Callable[[Scanner], Embed], depth: int) -> Embed:
    embed = scanner.attempt(lambda: head(scanner))
    scanner.literal("(")
    items = _items(scanner, depth=depth + 1)
    scanner.literal(")")
    return replace(embed, items=items)


def _spread_head(scanner: Scanner) -> Embed:
    scanner.blanks()
    scanner.literal("...")
    return replace(_relation(scanner, fields.name(scanner)), is_spread=True)


def _embed_head(scanner: Scanner) -> Embed:
    scanner.blanks()
    alias = scanner.maybe(lambda: _alias(scanner))
    name = fields.name(scanner)
    if name == "count":
        raise Mismatch
    return replace(_relation(scanner, name), alias=alias)


def _relation(scanner: Scanner, name: str) -> Embed:
    parameters = [scanner.maybe(lambda: _embed_parameter(scanner)) for _ in range(2)]
    if not scanner.follows("("):
        raise Mismatch
    given = [parameter for parameter in parameters if parameter is not None]
    hint = next((parameter.hint for parameter in given if parameter.hint), None)
    join = next((parameter.join for parameter in given if parameter.join), None)
    return Embed(name, hint=hint, join=join)


def _embed_parameter(scanner: Scanner) -> _EmbedParameter:
    scanner.literal("!")
    name = fields.name(scanner)
    if name in {Join.LEFT, Join.INNER}:
        return _EmbedParameter(join=Join(name))
    return _EmbedParameter(hint=name)


def _alias(scanner: Scanner) -> str:
    name = fields.name(scanner)
    scanner.literal(":")
    if scanner.upcoming == ":":
        raise scanner.refuse()
    return name


def _column(scanner: Scanner) -> Column:
    scanner.blanks()
    column = scanner.choose(
        lambda: scanner.attempt(lambda: _star(scanner)),
        lambda: scanner.attempt(lambda: _bare_count(scanner)),
        lambda: _plain_column(scanner),
    )
    scanner.blanks()
    return column


def _star(scanner: Scanner) -> Column:
    scanner.literal("*")
    _item_ends(scanner)
    return Column(Field("*"))


def _bare_count(scanner: Scanner) -> Column:
    alias = scanner.maybe(lambda: _alias(scanner))
    scanner.literal("count()")
    cast = _cast(scanner)
    _item_ends(scanner)
    return Column(Field("*"), alias, aggregate=Aggregate.COUNT, aggregate_cast=cast)


def _plain_column(scanner: Scanner) -> Column:
    alias = scanner.maybe(lambda: _alias(scanner))
    field = fields.field(scanner)
    cast = _cast(scanner)
    aggregate = scanner.maybe(lambda: _aggregate(scanner))
    aggregate_cast = _cast(scanner)
    _item_ends(scanner)
    return Column(field, alias, cast, aggregate, aggregate_cast)


def _cast(scanner: Scanner) -> str | None:
    if not scanner.follows("::"):
        return None
    scanner.literal("::")
    return fields.word(scanner)


def _aggregate(scanner: Scanner) -> Aggregate:
    scanner.literal(".")
    name = scanner.one_of(Aggregate)
    scanner.literal("()")
    return Aggregate(name)


def _item_ends(scanner: Scanner) -> None:
    if not (scanner.follows(")") or scanner.follows(",") or scanner.ends()):
        raise Mismatch
