"""Tables as pages show them: columns and their meaning, checks, indexes, what runs by itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlctl.rules import markdown, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nlctl.catalogue.model import Column, Constraint, Index, Table, Trigger, Type, View
    from nlctl.rules.atlas import Atlas

_ENDS = {
    "ON DELETE CASCADE": "deleted with it",
    "ON DELETE SET NULL": "emptied when it is deleted",
    "ON DELETE SET DEFAULT": "back to its default when it is deleted",
}
_ONE_OF = re.compile(r"CHECK \(\((\w+) = ANY \(ARRAY\[(.*)\]\)\)\)")
_TRIGGER = re.compile(
    r"CREATE (?:CONSTRAINT )?TRIGGER (?:\"[^\"]*\"|\S+) "
    r"(?P<moment>BEFORE|AFTER|INSTEAD OF) (?P<events>.*?) ON .*?"
    r"FOR EACH (?P<each>ROW|STATEMENT)(?: WHEN \((?P<when>.*)\))? EXECUTE FUNCTION "
    r"[^(]+\((?P<arguments>.*)\)$",
    re.DOTALL,
)


@dataclass(frozen=True)
class ColumnLine:
    """One column."""

    name: str
    type: str
    is_optional: bool
    default: str
    meaning: str


@dataclass(frozen=True)
class IndexLine:
    """One index."""

    name: str
    keys: str
    is_unique: bool
    only: str


@dataclass(frozen=True)
class TriggerLine:
    """One trigger."""

    name: str
    moment: str
    when: str
    function: str
    arguments: str
    meaning: str


def columns(relation: Table | View, atlas: Atlas) -> list[ColumnLine]:
    """Its columns; a key, a reference and the values of a choice are part of the meaning."""
    constraints = getattr(relation, "constraints", ())
    return [_column(column, constraints, atlas) for column in relation.columns]


def _column(column: Column, constraints: Sequence[Constraint], atlas: Atlas) -> ColumnLine:
    own = [each for each in constraints if each.columns == (column.name,)]
    said = [markdown.prose(column.comment), *_meanings(column, constraints, own, atlas)]
    return ColumnLine(
        column.name,
        markdown.short_type(column.type),
        not column.is_not_null,
        _default(column),
        " ".join(filter(None, said)),
    )


def _default(column: Column) -> str:
    if column.generated:
        return f"always {markdown.code(words.condition(column.generated))}"
    if column.identity:
        return "numbered"
    return markdown.code(markdown.value(column.default)) if column.default else ""


def _meanings(
    column: Column, constraints: Iterable[Constraint], own: Iterable[Constraint], atlas: Atlas
) -> Iterator[str]:
    key = next((each.columns for each in constraints if each.kind == "p"), ())
    if column.name in key:
        yield "Primary key." if len(key) == 1 else "Part of the primary key."
    for constraint in own:
        if constraint.kind == "u":
            yield "Unique."
        if constraint.kind == "f" and constraint.references:
            yield _reference(constraint, atlas)
        choice = _ONE_OF.fullmatch(constraint.definition)
        if choice:
            yield f"One of {', '.join(_values(choice[2]))}."


def _reference(constraint: Constraint, atlas: Atlas) -> str:
    target = atlas.link(str(constraint.references))
    end = next((told for sql, told in _ENDS.items() if sql in constraint.definition), None)
    return f"→ {target}{f', {end}' if end else ''}."


def _values(listed: str) -> list[str]:
    return [markdown.code(value) for value in re.findall(r"'((?:[^']|'')*)'", listed)]


def checks(table: Table) -> list[tuple[str, str]]:
    """Constraints that no column tells of, each with its SQL."""
    return [
        (each.name, _constraint(each))
        for each in table.constraints
        if not _is_told_by_column(each) and each.kind != "p"
    ]


def _constraint(constraint: Constraint) -> str:
    if constraint.kind == "c":
        return words.condition(constraint.definition.removeprefix("CHECK "))
    return constraint.definition


def _is_told_by_column(constraint: Constraint) -> bool:
    is_single = len(constraint.columns) == 1
    return is_single and (
        constraint.kind in {"u", "f"} or bool(_ONE_OF.fullmatch(constraint.definition))
    )


def indexes(table: Table) -> list[IndexLine]:
    """Its indexes, less the primary key, which the columns tell of."""
    return [_index(each) for each in table.indexes if not each.is_primary]


def _index(index: Index) -> IndexLine:
    keys = re.search(r" USING (\w+) (\(.*)", index.definition.partition(" WHERE ")[0], re.DOTALL)
    method, listed = (keys[1], keys[2]) if keys else ("btree", "")
    return IndexLine(
        index.name,
        listed if method == "btree" else f"{method} {listed}",
        index.is_unique,
        words.condition(index.predicate) if index.predicate else "",
    )


def triggers(table: Table, atlas: Atlas) -> list[TriggerLine]:
    """What runs by itself."""
    return [trigger_line(each, atlas) for each in table.triggers]


def trigger_line(trigger: Trigger, atlas: Atlas) -> TriggerLine:
    """One trigger as a page shows it."""
    found = _TRIGGER.match(trigger.definition)
    assert found  # noqa: S101 - PostgreSQL prints them all alike
    once = ", once for each statement" if found["each"] == "STATEMENT" else ""
    return TriggerLine(
        trigger.name,
        f"{found['moment'].lower()} {_events(found['events'])}{once}",
        words.condition(found["when"] or ""),
        trigger.function,
        found["arguments"].replace("'", ""),
        markdown.prose(atlas.comment(trigger.function)),
    )


def _events(listed: str) -> str:
    """`INSERT OR DELETE OR UPDATE OF name` in the order people think of them."""
    order = ["INSERT", "UPDATE", "DELETE", "TRUNCATE"]
    found = sorted(listed.split(" OR "), key=lambda each: order.index(each.split()[0]))
    return ", ".join(each.replace(each.split()[0], each.split()[0].lower()) for each in found)


def type_line(kind: Type) -> tuple[str, str, str, str]:
    """Name, kind, values and meaning of a type."""
    values = [markdown.code(label) for label in kind.labels]
    values += [
        f"{markdown.code(c.name)} {markdown.code(markdown.short_type(c.type))}"
        for c in kind.columns
    ]
    if kind.base:
        values.append(markdown.code(markdown.short_type(kind.base)))
    values += [markdown.code(constraint) for constraint in kind.constraints]
    return (
        kind.full_name.removeprefix("public."),
        kind.kind,
        ", ".join(values),
        markdown.prose(kind.comment),
    )
