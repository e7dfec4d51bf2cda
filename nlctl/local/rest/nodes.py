"""Nodes: the query of an answer as a tree, each relation with its embeds below it.

Every name in it is resolved; values are still apart, told by their slots.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nlctl.local.rest.names import Name
    from nlctl.local.rest.relationships import Relationship
    from nlctl.local.rest.request import (
        Aggregate,
        Connective,
        Direction,
        Join,
        JsonStep,
        Nulls,
        Operation,
    )

SOURCE = "pgrst_source"
"""What a mutation or a function gave, for the query of the answer to read."""


@dataclass(frozen=True, slots=True)
class Operand:
    """A column, the way into its JSON, and the functions it passes through."""

    name: str
    path: tuple[JsonStep, ...] = ()
    is_json: bool = False
    transform: str | None = None
    """Makes the value what is shown, or a text what is compared with."""
    is_document: bool = True
    """Whether it can be searched as it is; else it is made a document first."""
    is_row: bool = False
    """The whole row, which is counted."""


@dataclass(frozen=True, slots=True)
class Output:
    """One column of the answer."""

    operand: Operand
    alias: str | None = None
    cast: str | None = None
    aggregate: Aggregate | None = None
    aggregate_cast: str | None = None


@dataclass(frozen=True, slots=True)
class Lifted:
    """A column that a spread embed gives its parent, aggregated there if at all."""

    name: str
    aggregate: Aggregate | None = None
    cast: str | None = None


@dataclass(frozen=True, slots=True)
class Test:
    operand: Operand
    operation: Operation
    is_negated: bool
    slot: int


@dataclass(frozen=True, slots=True)
class EmbedTest:
    """Whether an embed found anything."""

    embed: Node
    is_null: bool


@dataclass(frozen=True, slots=True)
class Group:
    connective: Connective
    terms: tuple[Predicate, ...]
    is_negated: bool = False


Predicate = Test | EmbedTest | Group


@dataclass(frozen=True, slots=True)
class Order:
    operand: Operand
    embed: Node | None
    direction: Direction | None
    nulls: Nulls | None


@dataclass(slots=True, eq=False)
class Node:
    """One relation of the query; `handle` is what the query around calls it."""

    relation: Name
    label: str
    handle: str
    alias: str | None = None
    join: Join | None = None
    is_spread: bool = False
    relationship: Relationship | None = None
    parent: Node | None = None
    outputs: list[Output] = field(default_factory=list)
    lifted: list[Lifted] = field(default_factory=list)
    predicates: list[Predicate] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    limit: int | None = None
    """How many rows at most."""
    offset: int | None = None
    """The slot of the offset."""
    children: list[Node] = field(default_factory=list)

    @property
    def depth(self) -> int:
        """How many relations it is embedded in."""
        return 0 if self.parent is None else self.parent.depth + 1

    @property
    def is_to_one(self) -> bool:
        return self.relationship is not None and self.relationship.is_to_one

    @property
    def is_lifted_whole(self) -> bool:
        """Whether its rows become part of its parent's."""
        return self.is_spread and self.is_to_one

    @property
    def shows_nothing(self) -> bool:
        """An embed that only joins: `relation()`, perhaps with more of its kind inside."""
        return not self.outputs and all(child.shows_nothing for child in self.children)

    def with_embeds(self) -> Iterator[Node]:
        """This node and all below it."""
        yield self
        for child in self.children:
            yield from child.with_embeds()

    def needs(self, *, tests: bool) -> set[str]:
        """The columns that whatever comes before has to give; `*` where nobody can tell."""
        shown = {output.operand.name for output in self.outputs}
        relationships = [child.relationship for child in self.children if child.relationship]
        shows_all = "*" in shown or not (shown or relationships)
        if shows_all or any(one.function for one in relationships):
            return {"*"}
        joined = {name for one in relationships for name in one.columns_used}
        ordered = {order.operand.name for order in self.orders if order.embed is None}
        return shown | joined | ordered | (set(_tested(self.predicates)) if tests else set())


def _tested(predicates: Iterable[Predicate]) -> Iterator[str]:
    for predicate in predicates:
        if isinstance(predicate, Group):
            yield from _tested(predicate.terms)
        elif isinstance(predicate, Test):
            yield predicate.operand.name
