"""Filters, and the trees that `and` and `or` make of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nlctl.local.rest.grammar import fields, parameter
from nlctl.local.rest.grammar.scanner import Parser, Scanner
from nlctl.local.rest.request import (
    Compare,
    Connective,
    Filter,
    In,
    Is,
    Logic,
    Match,
    Operator,
    Quantifier,
    Search,
    Truth,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from nlctl.local.rest.request import Condition, Field, Operation, Path

_QUOTED_WHOLE = re.compile(fields.QUOTED.pattern + r"(?=[,)]|\Z)", re.DOTALL)
_UNTIL_COMMA = re.compile(r"[^,)]+")
_BRACES = re.compile(r"\{[^{}]*\}")
_TRUTH = re.compile(r"null|not_null|true|false|unknown", re.IGNORECASE)
_OPERATOR = re.compile(r"([a-z]+)(?:\(([^)]*)\))?\.")
_OPERATOR_NAME = "operator (eq, gt, ...)"
_QUANTIFIABLE = {
    Operator.EQ,
    Operator.GT,
    Operator.GTE,
    Operator.LT,
    Operator.LTE,
    Operator.LIKE,
    Operator.ILIKE,
    Operator.MATCH,
    Operator.IMATCH,
}
_OPERATORS = {str(operator): operator for operator in Operator}
_SEARCHES = {str(search): search for search in Search}


def read_logic(key: str, text: str) -> tuple[Path, Condition]:
    """The tree that `and`, `or` or their opposites hold, and of which embed."""
    *path, connective = parameter.read("logic path", key, fields.dotted_names)
    embeds = tuple(name for name in path if name != "not")
    before = f"not.{connective}" if len(embeds) < len(path) else connective
    tree = parameter.read(
        "logic tree", text, lambda scanner: _condition(scanner, depth=0), before=before
    )
    return embeds, tree


def read_filter(field: Field, text: str) -> Filter:
    """The condition that a value puts on its field."""
    name, dot, value = text.partition(".")
    if dot and name in _OPERATORS:  # as in most filters; the grammar below would find the same
        return Filter(field, Compare(_OPERATORS[name], value))
    operation, negated = parameter.read("filter", text, _whole_operation)
    return Filter(field, operation, negated)


def is_filter(text: str) -> bool:
    """Whether a value begins with an operator, rather than being an argument."""
    name, dot, _ = text.partition(".")
    if dot and name in _OPERATORS:
        return True
    return parameter.read("filter", text, _operation_or_nothing) is not None


def _whole_operation(scanner: Scanner) -> tuple[Operation, bool]:
    return _negatable(scanner, Scanner.remainder)


def _operation_or_nothing(scanner: Scanner) -> tuple[Operation, bool] | None:
    return scanner.choose(lambda: _whole_operation(scanner), lambda: None)


def _condition(scanner: Scanner, *, depth: int) -> Condition:
    if depth > parameter.DEEPEST:
        raise scanner.refuse(f"at most {parameter.DEEPEST} levels")
    ways: tuple[Parser[Condition], ...] = (
        lambda: scanner.attempt(lambda: _logic_filter(scanner)),
        lambda: _logic_group(scanner, depth),
    )
    return scanner.choose(*ways)


def _logic_filter(scanner: Scanner) -> Filter:
    field = fields.field(scanner)
    fields.delimiter(scanner)
    operation, negated = _negatable(scanner, _value_in_logic)
    return Filter(field, operation, negated)


def _logic_group(scanner: Scanner, depth: int) -> Logic:
    negated = scanner.named("negation operator (not)", lambda: _negation(scanner))
    connective = scanner.named(
        "logic operator (and, or)",
        lambda: scanner.one_of(Connective),
    )
    scanner.blanks()
    scanner.literal("(")
    scanner.blanks()
    terms = scanner.several(
        lambda: _condition(scanner, depth=depth + 1), lambda: fields.comma(scanner)
    )
    scanner.blanks()
    scanner.literal(")")
    scanner.blanks()
    return Logic(Connective(connective), tuple(terms), negated)


def _negatable(scanner: Scanner, read_value: Callable[[Scanner], str]) -> tuple[Operation, bool]:
    negated = _negation(scanner)
    return _operation(scanner, read_value), negated


def _negation(scanner: Scanner) -> bool:
    return scanner.maybe(lambda: scanner.literal("not") + fields.delimiter(scanner)) is not None


def _operation(scanner: Scanner, read_value: Callable[[Scanner], str]) -> Operation:
    match = _OPERATOR.match(scanner.text, scanner.position)
    name, modifier = match.groups() if match else ("", None)
    if not _is_operator(name, modifier):
        raise scanner.refuse(_OPERATOR_NAME, ahead=_understood(scanner))
    scanner.match(_OPERATOR)
    if name == "in":
        return In(_listed_values(scanner))
    if name == "is":
        return Is(_truth(scanner))
    value = read_value(scanner)
    if name in _SEARCHES:
        return Match(_SEARCHES[name], value, modifier and modifier.strip())
    return Compare(_OPERATORS[name], value, Quantifier(modifier) if modifier else None)


def _is_operator(name: str, modifier: str | None) -> bool:
    if name in {"in", "is"}:
        return modifier is None
    if name in _SEARCHES:
        return modifier is None or fields.IDENTIFIER.fullmatch(modifier) is not None
    if name not in _OPERATORS:
        return False
    return modifier is None or (_OPERATORS[name] in _QUANTIFIABLE and modifier in {"any", "all"})


def _understood(scanner: Scanner) -> int:
    """How much of what follows began as an operator."""
    ahead = scanner.text[scanner.position :]
    known = [name for name in ("in", "is", *_OPERATORS, *_SEARCHES) if ahead.startswith(name)]
    name = max(known, key=len, default="")
    takes_modifier = name in _SEARCHES or _OPERATORS.get(name) in _QUANTIFIABLE
    return len(name) + (takes_modifier and ahead.startswith("(", len(name)))


def _truth(scanner: Scanner) -> Truth:
    match = scanner.match(_TRUTH)
    if match is None:
        raise scanner.refuse("isVal: (null, not_null, true, false, unknown)")
    return Truth(match.group().lower())


def _listed_values(scanner: Scanner) -> tuple[str, ...]:
    scanner.blanks()
    scanner.literal("(")
    scanner.blanks()
    values = [_listed_value(scanner)]
    while scanner.follows(","):
        scanner.literal(",")
        values.append(_listed_value(scanner))
    scanner.blanks()
    scanner.literal(")")
    scanner.blanks()
    return tuple(values)


def _listed_value(scanner: Scanner) -> str:
    quoted = scanner.match(_QUOTED_WHOLE)
    return fields.ESCAPE.sub(r"\1", quoted[1]) if quoted else scanner.rest(_UNTIL_COMMA)


def _value_in_logic(scanner: Scanner) -> str:
    quoted = scanner.match(_QUOTED_WHOLE)
    if quoted:
        return fields.ESCAPE.sub(r"\1", quoted[1])
    array = scanner.match(_BRACES)
    return array.group() if array else scanner.rest(_UNTIL_COMMA)
