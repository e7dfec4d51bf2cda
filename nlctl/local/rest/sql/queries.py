"""Queries: the rows of a node with its embeds beside them."""

# ruff: noqa: S608 (building SQL is what this module is for)
from __future__ import annotations

from typing import TYPE_CHECKING

from nlctl.local.rest.names import identifier
from nlctl.local.rest.request import Direction, Join, Nulls
from nlctl.local.rest.sql import conditions
from nlctl.local.rest.sql.names import ROW, ROWS, write_cast, write_column

if TYPE_CHECKING:
    from nlctl.local.rest.nodes import Lifted, Node, Order, Output
    from nlctl.local.rest.sql.statement import Parameters

DIRECTIONS = {None: "", Direction.ASC: " asc", Direction.DESC: " desc"}
NULLS = {None: "", Nulls.FIRST: " nulls first", Nulls.LAST: " nulls last"}


def write(parameters: Parameters, node: Node) -> str:
    """The rows of a node with its embeds beside them."""
    joins = [_write_join(parameters, child) for child in node.children]
    columns, groups = _write_columns(node)
    parts = [f"select {', '.join(columns)}", write_origin(node), *joins]
    parts.append(_write_where(parameters, node))
    if groups:
        parts.append(f"group by {', '.join(groups)}")
    if node.orders:
        parts.append(f"order by {', '.join(_write_order(node, one) for one in node.orders)}")
    parts.append(_write_window(parameters, node))
    return " ".join(part for part in parts if part)


def write_origin(node: Node) -> str:
    """Where a node's rows come from."""
    relationship = node.relationship
    if relationship and relationship.function and node.parent:
        row = f"{_row(node.parent)}::{relationship.relation.sql}"
        return f"from {relationship.function.sql}({row}) as {identifier(node.alias or '')}"
    alias = f" as {identifier(node.alias)}" if node.alias else ""
    junction = ""
    if relationship and relationship.junction:
        junction = f", {relationship.junction.table.sql} as {_junction(node)}"
    return f"from {node.relation.sql}{alias}{junction}"


def write_bonds(node: Node) -> list[str]:
    """What binds a node's rows to the row that embeds them."""
    relationship = node.relationship
    if relationship is None or relationship.function or node.parent is None:
        return []
    here, parent = qualifier(node), qualifier(node.parent)
    if relationship.junction is None:
        return [
            f"{here}.{identifier(theirs)} = {parent}.{identifier(ours)}"
            for ours, theirs in relationship.columns
        ]
    junction = _junction(node)
    return [
        f"{here}.{identifier(theirs)} = {junction}.{identifier(between)}"
        for theirs, between in relationship.junction.target_columns
    ] + [
        f"{junction}.{identifier(between)} = {parent}.{identifier(ours)}"
        for ours, between in relationship.junction.columns
    ]


def qualifier(node: Node) -> str:
    """How the columns of a node are told apart from others."""
    return identifier(node.alias) if node.alias else node.relation.sql


def _row(node: Node) -> str:
    """A whole row of a node as one value."""
    return identifier(node.alias or node.relation.name)


def _junction(node: Node) -> str:
    return f"{node.handle}_junction"


def _write_where(parameters: Parameters, node: Node) -> str:
    own = [conditions.write(parameters, qualifier(node), one) for one in node.predicates]
    return conditions.write_where(write_bonds(node) + own)


def _write_window(parameters: Parameters, node: Node) -> str:
    parts = []
    if node.limit is not None:
        parts.append(f"limit {node.limit}")
    if node.offset is not None:
        parts.append(f"offset {parameters.number(node.offset)}")
    return " ".join(parts)


def _write_order(node: Node, order: Order) -> str:
    table = order.embed.handle if order.embed else qualifier(node)
    operand = conditions.write_operand(table, order.operand)
    return f"{operand}{DIRECTIONS[order.direction]}{NULLS[order.nulls]}"


# What is selected.


def _write_columns(node: Node) -> tuple[list[str], list[str]]:
    """What is selected, and the numbers of those that rows are grouped by."""
    columns: list[str] = []
    groups: list[str] = []

    def add(column: str, *, is_aggregate: bool) -> None:
        columns.append(column)
        if not is_aggregate:
            groups.append(str(len(columns)))

    for output in node.outputs:
        add(_write_output(node, output), is_aggregate=output.aggregate is not None)
    for child in node.children:
        if child.is_spread:
            for one in child.lifted:
                is_aggregate = one.aggregate is not None and not node.is_lifted_whole
                lifted = _write_lifted(child, one, aggregates=is_aggregate)
                add(lifted, is_aggregate=is_aggregate)
        elif not child.shows_nothing:
            add(_write_embedded(child), is_aggregate=False)
    if not node.outputs and not node.children:
        columns = [f"{qualifier(node)}.*"]
    is_aggregated = (
        len(groups) < len(columns) and bool(columns) and bool(node.outputs or node.children)
    )
    return columns, groups if is_aggregated else []


def _write_output(node: Node, output: Output) -> str:
    value = conditions.write_operand(qualifier(node), output.operand)
    if output.operand.transform:
        value = f"{output.operand.transform}({value})"
    if output.cast:
        value = write_cast(value, output.cast)
    if output.aggregate:
        is_row_count = output.operand.name == "*" and not output.operand.is_row
        value = f"{output.aggregate}({'*' if is_row_count else value})"
    if output.aggregate_cast:
        value = write_cast(value, output.aggregate_cast)
    return f"{value} as {identifier(output.alias)}" if output.alias else value


def _write_embedded(child: Node) -> str:
    alias = identifier(child.label)
    if child.is_to_one:
        return f"row_to_json({child.handle}.*)::jsonb as {alias}"
    return f"coalesce({child.handle}.{ROWS}, '[]') as {alias}"


def _write_lifted(child: Node, lifted: Lifted, *, aggregates: bool) -> str:
    value = f"{child.handle}.{write_column(lifted.name)}"
    if not child.is_to_one:
        value = f"coalesce({value}, '[]')"
    if aggregates:
        value = f"{lifted.aggregate}({value})"
        if lifted.cast:
            value = write_cast(value, lifted.cast)
    return value if lifted.name == "*" else f"{value} as {identifier(lifted.name)}"


# Embeds.


def _write_join(parameters: Parameters, child: Node) -> str:
    """The embed as a join of one row at most: one found, or all found made into one."""
    is_inner = child.join is Join.INNER
    kind = "inner" if is_inner else "left"
    query = write(parameters, child)
    condition = "true"
    if not child.is_to_one:
        gathered = [f"json_agg({ROW})::jsonb as {ROWS}"]
        if child.is_spread:
            gathered += [_write_gathered(one) for one in child.lifted]
        query = f"select {', '.join(gathered)} from ({query}) as {ROW}"
        if is_inner:
            condition = f"{child.handle}.{ROWS} is not null"
    return f"{kind} join lateral ({query}) as {child.handle} on {condition}"


def _write_gathered(lifted: Lifted) -> str:
    name = identifier(lifted.name)
    return f"coalesce(json_agg({ROW}.{name}), '[]')::jsonb as {name}"
