"""Counts: the rows of a node without their columns; inner joins are asked for, not made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlctl.local.rest.nodes import EmbedTest, Group
from nlctl.local.rest.request import Join
from nlctl.local.rest.sql import conditions, queries
from nlctl.local.rest.sql.names import write_not

if TYPE_CHECKING:
    from nlctl.local.rest.nodes import Node, Predicate
    from nlctl.local.rest.sql.statement import Parameters


def write(parameters: Parameters, node: Node) -> str:
    """One row for each that the node would have without a window."""
    asked = queries.write_bonds(node)
    asked += [_write_condition(parameters, node, one) for one in node.predicates]
    asked += [
        f"exists ({write(parameters, child)})"
        for child in node.children
        if child.join is Join.INNER
    ]
    parts = ["select 1", queries.write_origin(node), conditions.write_where(asked)]
    return " ".join(part for part in parts if part)


def _write_condition(parameters: Parameters, node: Node, predicate: Predicate) -> str:
    if isinstance(predicate, Group):
        terms = [_write_condition(parameters, node, term) for term in predicate.terms]
        return conditions.write_group(predicate, terms)
    if isinstance(predicate, EmbedTest):
        return f"{write_not(predicate.is_null)}exists ({write(parameters, predicate.embed)})"
    return conditions.write(parameters, queries.qualifier(node), predicate)
