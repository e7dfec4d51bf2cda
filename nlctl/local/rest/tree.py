"""Tree: what is selected, filtered, ordered and cut, laid over the relations that are meant."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nlctl.local.rest import embeds, shape
from nlctl.local.rest.errors import ApiError, embedded_twice
from nlctl.local.rest.names import Name
from nlctl.local.rest.nodes import (
    SOURCE,
    EmbedTest,
    Group,
    Lifted,
    Node,
    Operand,
    Order,
    Output,
    Test,
)
from nlctl.local.rest.request import Column, Embed, Field, Is, Logic, Match, Truth

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nlctl.local.rest.config import RestConfig
    from nlctl.local.rest.nodes import Predicate
    from nlctl.local.rest.request import ApiRequest, Condition, Filter, OrderTerm, Path
    from nlctl.local.rest.schema import Relation, Schema
    from nlctl.local.rest.shape import Slots

RENAMED = (
    "Embedded resource was referenced by relation name even though it has an alias. "
    "This is deprecated and will stop working in a future release. "
    "Update {changes} in query string filters, orders or limits."
)

Found = dict["Path", tuple[Node, Name]]
"""The node at the end of each path of a request, and the relation that it shows."""


class TreePlanner:
    """Plans the tree of one request."""

    def __init__(
        self, request: ApiRequest, schema: Schema, config: RestConfig, slots: Slots
    ) -> None:
        self.request = request
        self.schema = schema
        self.config = config
        self.slots = slots
        self.renamed: dict[str, str] = {}
        self.handles = 0

    @property
    def warning(self) -> str | None:
        """What to tell whoever named an embed by another name than its alias."""
        if not self.renamed:
            return None
        changes = ", ".join(f"`{name}` to `{alias}`" for name, alias in self.renamed.items())
        return RENAMED.format(changes=changes)

    def tree(self, relation: Name, *, alias: str | None = None) -> Node:
        """The relation and its embeds; with an alias it is read from what SQL gave before."""
        root = Node(
            relation=Name("", SOURCE) if alias else relation,
            label=relation.name,
            handle=SOURCE,
            alias=alias,
        )
        query = self.request.query
        found: Found = {}
        branches = _Branches(query.select, self.renamed)
        for path in self._paths():
            branches.find(path)
        self._grow(root, relation, branches, found)
        self._condition(found)
        self._order(found)
        self._cut(root, found)
        return root

    def changed_rows(self, relation: Name) -> Iterator[Predicate]:
        """The conditions at the root of a mutation, which say what rows it is about."""
        for path, condition, slots in self._conditions():
            if not path:
                yield self._predicate(None, relation, condition, slots)

    def _paths(self) -> Iterable[Path]:
        query = self.request.query
        yield from (path for path, _ in query.conditions)
        yield from (path for path, _ in query.orders)
        if not self.request.action.is_mutation:
            yield from query.windows

    def _grow(
        self,
        node: Node,
        relation: Name,
        branches: _Branches,
        found: Found,
        *,
        is_expanded: bool = False,
    ) -> None:
        """Resolve what a node shows, then its embeds."""
        for path in branches.paths:
            found[path] = node, relation
        columns = [item for item in branches.items if isinstance(item, Column)]
        self._check_aggregates(columns)
        is_expanded = (
            is_expanded
            or any(column.aggregate for column in columns)
            or (node.is_spread and not node.is_to_one)
        )
        for column in columns:
            node.outputs += self._outputs(column, relation, node, is_expanded=is_expanded)
        for inner in branches.inner:
            child = self._embed(node, relation, inner.embed)
            if any(child.label == other.label for other in node.children):
                raise embedded_twice(relation.name, child.label, child.depth)
            node.children.append(child)
            target = child.relationship.target if child.relationship else child.relation
            self._grow(child, target, inner, found, is_expanded=is_expanded)
        _lift(node)

    def _embed(self, parent: Node, origin: Name, embed: Embed) -> Node:
        relationship = embeds.find(self.schema.relationships, origin, embed.relation, embed.hint)
        self.handles += 1
        return Node(
            relation=relationship.function or relationship.target,
            label=embed.alias or embed.relation,
            handle=f"pgrst_{self.handles}",
            alias=_alias(relationship.target.name, self.handles),
            join=embed.join,
            is_spread=embed.is_spread,
            relationship=relationship,
            parent=parent,
        )

    def _check_aggregates(self, columns: list[Column]) -> None:
        if not self.config.aggregates_enabled and any(column.aggregate for column in columns):
            raise ApiError("PGRST123", "Use of aggregate functions is not allowed")

    def _outputs(
        self, column: Column, relation: Name, node: Node, *, is_expanded: bool
    ) -> Iterable[Output]:
        known = self.schema.relations.get(relation)
        if column.field.name == "*" and not column.aggregate and known:
            shown = [self._shown(known, Column(Field(name))) for name in known.columns]
            if is_expanded or any(output.operand.transform for output in shown):
                return shown
        output = self._shown(known, column)
        if node.is_spread and column.aggregate:
            # The parent aggregates, so the column needs a name to be asked for.
            operand = replace(output.operand, is_row=column.field.name == "*")
            alias = column.alias or column.aggregate.value
            return [replace(output, operand=operand, alias=alias)]
        return [output]

    def _shown(self, relation: Relation | None, column: Column) -> Output:
        operand = self._operand(relation, column.field)
        type_ = _type(relation, column.field)
        transform = self.schema.representations.get((type_, "json"))
        if transform:
            operand = replace(operand, transform=transform)
        return Output(
            operand,
            column.alias or (None if column.aggregate else _implied_alias(operand)),
            column.cast,
            column.aggregate,
            column.aggregate_cast,
        )

    def _operand(self, relation: Relation | None, field: Field) -> Operand:
        return Operand(field.name, field.path, is_json=_type(relation, field) in {"json", "jsonb"})

    # What is attached to it.

    def _conditions(self) -> Iterator[tuple[Path, Condition, Iterator[int]]]:
        """Each condition with its path and the slots of its values, in their order."""
        for (path, one), slots in zip(
            self.request.query.conditions, self.slots.conditions, strict=True
        ):
            yield path, one, iter(slots)

    def _condition(self, found: Found) -> None:
        for path, condition, slots in self._conditions():
            # At the root of a mutation it says which rows change; those are all shown.
            if path or not self.request.action.is_mutation:
                node, relation = found[path]
                node.predicates.append(self._predicate(node, relation, condition, slots))

    def _predicate(
        self, node: Node | None, relation: Name, condition: Condition, slots: Iterator[int]
    ) -> Predicate:
        if isinstance(condition, Logic):
            terms = tuple(self._predicate(node, relation, one, slots) for one in condition.terms)
            return Group(condition.connective, terms, condition.negated)
        slot = next(slots)
        known = self.schema.relations.get(relation)
        embed = self._embed_meant(node, known, condition)
        if embed:
            return _embed_test(embed, condition)
        return Test(self._tested(known, condition), condition.operation, condition.negated, slot)

    def _embed_meant(
        self, node: Node | None, relation: Relation | None, condition: Filter
    ) -> Node | None:
        """The embed whose presence is asked about. A column of its name is one to compare."""
        name = condition.field.name
        if node is None or condition.field.path:
            return None
        embed = next((child for child in node.children if child.label == name), None)
        if embed is None or _asks_for_null(condition):
            return embed
        return None if relation and name in relation.columns else embed

    def _tested(self, relation: Relation | None, condition: Filter) -> Operand:
        operand = self._operand(relation, condition.field)
        column = relation.columns.get(condition.field.name) if relation else None
        type_ = _type(relation, condition.field)
        is_match = isinstance(condition.operation, Match)
        is_document = not is_match or column is None or column.type == "tsvector"
        transform = self.schema.representations.get(("text", type_))
        return replace(operand, transform=transform, is_document=is_document)

    def _order(self, found: Found) -> None:
        for path, terms in self.request.query.orders:
            node, relation = found[path]
            known = self.schema.relations.get(relation)
            node.orders = [self._order_term(node, known, term) for term in terms]

    def _order_term(self, node: Node, relation: Relation | None, term: OrderTerm) -> Order:
        if term.relation is None:
            operand = self._operand(relation, term.field)
            return Order(operand, None, term.direction, term.nulls)
        embed = next((child for child in node.children if child.label == term.relation), None)
        if embed is None:
            raise _not_embedded(term.relation)
        if not embed.is_to_one:
            raise ApiError(
                "PGRST118",
                f"A related order on '{embed.label}' is not possible",
                details=(
                    f"'{node.alias or node.relation.name}' and '{embed.label}' do not form "
                    "a many-to-one or one-to-one relationship"
                ),
            )
        operand = Operand(term.field.name, term.field.path)
        return Order(operand, embed, term.direction, term.nulls)

    def _cut(self, root: Node, found: Found) -> None:
        if self.request.action.is_mutation:
            return
        for node in root.with_embeds():
            node.limit = self.config.max_rows
        for path, window in self.request.query.windows.items():
            node, _ = found[path]
            node.limit = shape.limit(window, self.config.max_rows)
            if window.offset > 0:
                node.offset = self.slots.offsets[path]


class _Branches:
    """What is selected, with the embeds told apart and the paths by which each was named."""

    def __init__(
        self,
        items: Sequence[Column | Embed],
        renamed: dict[str, str],
        embed: Embed | None = None,
    ) -> None:
        self.items = items
        self.renamed = renamed
        self._embed = embed
        self.paths: set[Path] = set() if embed else {()}
        self.inner = [
            _Branches(item.items, renamed, item) for item in items if isinstance(item, Embed)
        ]

    @property
    def embed(self) -> Embed:
        if self._embed is None:
            raise ValueError("The root is no embed.")
        return self._embed

    def find(self, path: Path, walked: Path = ()) -> None:
        """Follow a path; each embed on it learns by which path it was named."""
        self.paths.add(walked)
        if walked == path:
            return
        name = path[len(walked)]
        self._called(name).find(path, (*walked, name))

    def _called(self, name: str) -> _Branches:
        for branch in self.inner:
            if name == branch.embed.alias:
                return branch
            if name == branch.embed.relation:
                if branch.embed.alias:
                    self.renamed[name] = branch.embed.alias
                return branch
        raise _not_embedded(name)


def _lift(node: Node) -> None:
    """Give the parent the columns of a spread, after its own children gave theirs."""
    if not node.is_spread:
        return
    inner = [one for child in node.children if child.is_spread for one in child.lifted]
    embedded = [
        Lifted(child.label)
        for child in node.children
        if not child.is_spread and not child.shows_nothing
    ]
    if not node.is_to_one:
        if any(output.aggregate for output in node.outputs) or any(one.aggregate for one in inner):
            raise ApiError(
                "PGRST127",
                "Feature not implemented",
                details="Aggregates are not implemented for one-to-many or many-to-many spreads.",
            )
        own = [Lifted(_column_name(output)) for output in node.outputs]
        node.lifted = own + embedded + [Lifted(one.name) for one in inner]
        return
    own = [
        Lifted(_column_name(output), output.aggregate, output.aggregate_cast)
        for output in node.outputs
    ]
    node.outputs = [Output(output.operand, output.alias, output.cast) for output in node.outputs]
    node.lifted = own + embedded + inner


def _column_name(output: Output) -> str:
    return output.alias or output.operand.name


def _alias(name: str, number: int) -> str:
    """A name that tells itself from others within the bytes that PostgreSQL keeps of it."""
    return f"{name.encode()[:40].decode(errors='ignore')}_{number}"


def _type(relation: Relation | None, field: Field) -> str:
    column = relation.columns.get(field.name) if relation else None
    return column.nominal_type if column else ""


def _implied_alias(operand: Operand) -> str | None:
    """A JSON path is called by its last key; a number in it is no name."""
    keys = [step.key for step in operand.path if not step.is_index]
    if operand.path:
        return keys[-1] if keys else operand.name
    return operand.name if operand.transform else None


def _embed_test(embed: Node, condition: Filter) -> EmbedTest:
    if not _asks_for_null(condition):
        raise ApiError(
            "PGRST120",
            f"Bad operator on the '{embed.label}' embedded resource",
            details="Only is null or not is null filters are allowed on embedded resources",
        )
    is_null = condition.operation == Is(Truth.NULL)
    return EmbedTest(embed, is_null != condition.negated)


def _asks_for_null(condition: Filter) -> bool:
    operation = condition.operation
    return isinstance(operation, Is) and operation.value in {Truth.NULL, Truth.NOT_NULL}


def _not_embedded(name: str) -> ApiError:
    return ApiError(
        "PGRST108",
        f"'{name}' is not an embedded resource in this request",
        hint=f"Verify that '{name}' is included in the 'select' query parameter.",
    )
