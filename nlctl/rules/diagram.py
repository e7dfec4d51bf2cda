"""Diagrams: the tables of a domain and what they point at, for Mermaid."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nlctl.rules import atlas as atlases
from nlctl.rules import markdown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nlctl.catalogue.model import Column, Constraint, Table


def draw(tables: Sequence[Table]) -> str:
    """An erDiagram; tables of other domains appear as names."""
    return "\n".join(["erDiagram", *_lines(tables)])


def _lines(tables: Sequence[Table]) -> Iterator[str]:
    for table in tables:
        yield f'  "{_entity(table.full_name)}" {{'
        yield from (f"    {_attribute(column, table)}" for column in table.columns)
        yield "  }"
    for table in tables:
        for constraint in table.constraints:
            if constraint.kind == "f":
                yield f"  {_relation(table, constraint)}"


def _entity(name: str) -> str:
    return atlases.short(name).replace('"', "")


def _attribute(column: Column, table: Table) -> str:
    kinds = {c.kind for c in table.constraints if column.name in c.columns and c.kind in "pfu"}
    is_unique_alone = any(c.kind == "u" and c.columns == (column.name,) for c in table.constraints)
    keys = [
        name
        for name, holds in (("PK", "p" in kinds), ("FK", "f" in kinds), ("UK", is_unique_alone))
        if holds
    ]
    kind = re.sub(r"\(.*?\)", "", markdown.short_type(column.type))
    return " ".join([_word(kind), _word(column.name), ", ".join(keys)]).rstrip()


def _word(text: str) -> str:
    """As Mermaid takes types and names of attributes."""
    word = re.sub(r"[^\w\[\]-]+", "_", text)
    return word if re.match(r"[^\W\d]", word) else f"_{word}"


def _relation(table: Table, constraint: Constraint) -> str:
    required = {column.name for column in table.columns if column.is_not_null}
    parent = "||" if set(constraint.columns) <= required else "|o"
    child = "o|" if _is_unique(table, constraint.columns) else "o{"
    target, own = _entity(str(constraint.references)), _entity(table.full_name)
    return f'"{target}" {parent}--{child} "{own}" : "{", ".join(constraint.columns)}"'


def _is_unique(table: Table, columns: tuple[str, ...]) -> bool:
    return any(
        index.is_unique and index.predicate is None and set(index.columns) <= set(columns)
        for index in table.indexes
    )
