"""Conditions: what a row has to be."""

# ruff: noqa: S608 (building SQL is what this module is for)
from __future__ import annotations

from typing import TYPE_CHECKING

from nlctl.local.rest.names import literal
from nlctl.local.rest.nodes import EmbedTest, Group
from nlctl.local.rest.request import (
    Compare,
    Connective,
    In,
    Is,
    Match,
    Operator,
    Search,
    Truth,
)
from nlctl.local.rest.sql.names import ROWS, write_column, write_not

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nlctl.local.rest.nodes import Operand, Predicate, Test
    from nlctl.local.rest.request import JsonStep
    from nlctl.local.rest.sql.statement import Parameters

OPERATORS = {
    Operator.EQ: "=",
    Operator.NEQ: "<>",
    Operator.GT: ">",
    Operator.GTE: ">=",
    Operator.LT: "<",
    Operator.LTE: "<=",
    Operator.LIKE: "like",
    Operator.ILIKE: "ilike",
    Operator.MATCH: "~",
    Operator.IMATCH: "~*",
    Operator.IS_DISTINCT: "is distinct from",
    Operator.CONTAINS: "@>",
    Operator.CONTAINED: "<@",
    Operator.OVERLAPS: "&&",
    Operator.STRICTLY_LEFT: "<<",
    Operator.STRICTLY_RIGHT: ">>",
    Operator.NOT_RIGHT: "&<",
    Operator.NOT_LEFT: "&>",
    Operator.ADJACENT: "-|-",
}
AS_WRITTEN = {Operator.LIKE, Operator.ILIKE, Operator.IS_DISTINCT}
"""Operators whose value is no value of the column's type."""

SEARCHES = {
    Search.FULL: "to_tsquery",
    Search.PLAIN: "plainto_tsquery",
    Search.PHRASE: "phraseto_tsquery",
    Search.WEB: "websearch_to_tsquery",
}

TRUTHS = {
    Truth.NULL: "null",
    Truth.NOT_NULL: "not null",
    Truth.TRUE: "true",
    Truth.FALSE: "false",
    Truth.UNKNOWN: "unknown",
}


def write(parameters: Parameters, table: str, predicate: Predicate) -> str:
    """What must hold of the rows of `table`."""
    if isinstance(predicate, Group):
        return write_group(predicate, [write(parameters, table, term) for term in predicate.terms])
    if isinstance(predicate, EmbedTest):
        return _write_embed_test(predicate)
    return f"{write_not(predicate.is_negated)}{_write_test(parameters, table, predicate)}"


def write_group(group: Group, terms: Iterable[str]) -> str:
    """Terms already written, joined as the group says."""
    word = " and " if group.connective is Connective.AND else " or "
    return f"{write_not(group.is_negated)}({word.join(terms)})"


def write_where(conditions: list[str]) -> str:
    return f"where {' and '.join(conditions)}" if conditions else ""


def write_operand(table: str, operand: Operand) -> str:
    """A column of `table`, or what a JSON path finds in it."""
    if operand.is_row:
        return table
    column = f"{table}.{write_column(operand.name)}"
    if not operand.path:
        return column
    start = column if operand.is_json else f"to_jsonb({column})"
    return f"({start}{''.join(_write_step(step) for step in operand.path)})"


def _write_test(parameters: Parameters, table: str, test: Test) -> str:
    operand = write_operand(table, test.operand)
    operation = test.operation
    if isinstance(operation, Is):
        return f"{operand} is {TRUTHS[operation.value]}"
    value = parameters.number(test.slot)
    if isinstance(operation, Match):
        return _write_match(operand, value, operation, is_document=test.operand.is_document)
    transform = test.operand.transform
    if isinstance(operation, In):
        if transform:
            value = f"(select {transform}(one) from unnest({value}::text[]) as one)"
        return f"{operand} = any ({value})"
    if transform and operation.operator not in AS_WRITTEN:
        value = f"{transform}({value})"
    return _write_comparison(operand, value, operation)


def _write_embed_test(test: EmbedTest) -> str:
    whole = test.embed.handle if test.embed.is_to_one else f"{test.embed.handle}.{ROWS}"
    return f"{whole} is {write_not(test.is_null)}distinct from null"


def _write_step(step: JsonStep) -> str:
    arrow = "->>" if step.as_text else "->"
    return f"{arrow}{int(step.key)}::int" if step.is_index else f"{arrow}{literal(step.key)}"


def _write_comparison(operand: str, value: str, operation: Compare) -> str:
    if operation.quantifier:
        value = f"{operation.quantifier} ({value})"
    return f"{operand} {OPERATORS[operation.operator]} {value}"


def _write_match(operand: str, value: str, operation: Match, *, is_document: bool) -> str:
    language = f"{literal(operation.language)}, " if operation.language is not None else ""
    document = operand if is_document else f"to_tsvector({language}{operand})"
    return f"{document} @@ {SEARCHES[operation.search]}({language}{value})"
