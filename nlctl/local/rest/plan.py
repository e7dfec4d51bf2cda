"""Plan: a request laid over the schema. Every name is resolved; values are still apart.

The query of an answer is a tree of nodes, the relation at its root and its embeds below.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nlctl.local.rest import embeds, hints, negotiation, overloads, shape
from nlctl.local.rest.errors import ApiError, put_without_whole_key
from nlctl.local.rest.names import Name
from nlctl.local.rest.request import (
    Action,
    Column,
    Compare,
    Count,
    Embed,
    Field,
    Filter,
    Is,
    Join,
    JsonBody,
    Logic,
    Match,
    Missing,
    Operator,
    Resolution,
    Return,
    Truth,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nlctl.local.rest.config import RestConfig
    from nlctl.local.rest.negotiation import Answer
    from nlctl.local.rest.relationships import Relationship
    from nlctl.local.rest.request import (
        Aggregate,
        ApiRequest,
        Condition,
        Connective,
        Direction,
        JsonStep,
        Nulls,
        Operation,
        OrderTerm,
        Path,
    )
    from nlctl.local.rest.schema import Function, Parameter, Relation, Schema

SOURCE = "pgrst_source"
"""What a mutation or a function gave, for the query of the answer to read."""

RENAMED = (
    "Embedded resource was referenced by relation name even though it has an alias. "
    "This is deprecated and will stop working in a future release. "
    "Update {changes} in query string filters, orders or limits."
)


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
    """The slot of the limit."""
    most: int | None = None
    """The limit where none was asked for."""
    offset: int | None = None
    """The slot of the offset."""
    children: list[Node] = field(default_factory=list)

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


@dataclass(frozen=True, slots=True)
class BodyColumn:
    """A column written from the body: the type it is read as, and what it passes through."""

    name: str
    type: str
    transform: str | None = None
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Mutation:
    action: Action
    relation: Name
    columns: tuple[BodyColumn, ...]
    predicates: tuple[Predicate, ...]
    returning: tuple[str, ...]
    body: int
    is_object: bool
    key: tuple[str, ...]
    conflict: tuple[str, ...] = ()
    resolution: Resolution | None = None
    fills_defaults: bool = False

    @property
    def counts_inserted(self) -> bool:
        return self.action is Action.PUT or self.resolution is Resolution.MERGE

    @property
    def changes_all(self) -> bool:
        """Whether no condition spares any row. An update without columns changes none."""
        changes = self.action is Action.DELETE or (self.action is Action.UPDATE and self.columns)
        return bool(changes) and not self.predicates


@dataclass(frozen=True, slots=True)
class Argument:
    """A parameter, and where its value comes from: slots, or the body when there are none."""

    parameter: Parameter
    slots: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    function: Function
    arguments: tuple[Argument, ...]
    returning: tuple[str, ...]
    body: int
    is_object: bool
    is_read_only: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything the SQL of one shape of request needs."""

    root: Node
    answer: Answer
    mutation: Mutation | None = None
    call: Call | None = None
    count: Count | None = None
    is_windowed: bool = False
    shows_location: bool = False
    max_rows: int | None = None
    warning: str | None = None

    @property
    def is_read_only(self) -> bool:
        return self.call.is_read_only if self.call else self.mutation is None


def make(request: ApiRequest, schema: Schema, config: RestConfig) -> Plan:
    """Plan a read, a mutation or a call; refuse what the schema has no answer for."""
    return _Planner(request, schema, config).plan()


def find_relation(schema: Schema, name: Name) -> Relation:
    """A relation of the API, or a refusal with the closest name there is."""
    relation = schema.relations.get(name)
    if relation:
        return relation
    meant = hints.closest(name.name, [n for home, n in schema.relations if home == name.schema])
    raise ApiError(
        "PGRST205",
        f"Could not find the table '{name.schema}.{name.name}' in the schema cache",
        hint=f"Perhaps you meant the table '{name.schema}.{meant}'" if meant else None,
    )


class _Planner:
    """Plans one request."""

    def __init__(self, request: ApiRequest, schema: Schema, config: RestConfig) -> None:
        self.request = request
        self.schema = schema
        self.config = config
        self.slots = shape.Slots(request)
        self.name = Name(request.schema, request.name or "")
        self.renamed: dict[str, str] = {}
        self.handles = 0

    def plan(self) -> Plan:
        if self.request.action.is_call:
            return self._call()
        find_relation(self.schema, self.name)
        return self._mutation() if self.request.action.is_mutation else self._read()

    def _read(self) -> Plan:
        root = self._tree(self.name, alias=None)
        return Plan(
            root,
            self._answer(self.name, root),
            count=self.request.preferences.count,
            is_windowed=shape.has_window(self.request.query),
            max_rows=self.config.max_rows,
            warning=self._warning(),
        )

    def _call(self) -> Plan:
        function = overloads.find(self.schema, self.name, self.request)
        returned = function.returns.name if function.returns_rows else function.name.name
        relation = Name(function.name.schema, returned)
        root = self._tree(relation, alias=returned)
        call = Call(
            function,
            tuple(self._arguments(function)),
            returning=_needed(root, with_conditions=True),
            body=self.slots.body,
            is_object=self._body_is_object(),
            is_read_only=(self.request.action is Action.CALL_READ_ONLY or not function.may_write),
        )
        return Plan(
            root,
            self._answer(relation, root),
            call=call,
            count=self.request.preferences.count,
            is_windowed=shape.has_window(self.request.query),
            max_rows=self.config.max_rows,
            warning=self._warning(),
        )

    def _arguments(self, function: Function) -> Iterable[Argument]:
        given = shape.arguments(self.request)
        if not given:
            names = overloads.argument_names(self.request)
            for parameter in function.parameters:
                if not parameter.name or parameter.name in names:
                    yield Argument(parameter)
            return
        for parameter in function.parameters:
            slots = [
                self.slots.arguments + place
                for place, (name, _) in enumerate(given)
                if name == parameter.name
            ]
            if slots:  # said twice, the last one counts, unless it takes them all
                yield Argument(parameter, tuple(slots if parameter.is_variadic else slots[-1:]))

    def _mutation(self) -> Plan:
        root = self._tree(self.name, alias=self.name.name)
        relation = self.schema.relations[self.name]
        returning = self.request.preferences.returning
        mutation = self._write(relation, root, shows_rows=returning not in {None, Return.MINIMAL})
        return Plan(
            root,
            self._answer(self.name, root),
            mutation=mutation,
            shows_location=(
                self.request.action is Action.INSERT and returning is Return.HEADERS_ONLY
            ),
            warning=self._warning(),
        )

    def _write(self, relation: Relation, root: Node, *, shows_rows: bool) -> Mutation:
        action = self.request.action
        preferences = self.request.preferences
        predicates = tuple(
            self._predicate(None, relation.name, condition, slots)
            for path, condition, slots in self._conditions()
            if not path
        )
        if action is Action.PUT:
            self._check_put(relation)
        conflict, resolution = self._conflict(relation)
        return Mutation(
            action,
            relation.name,
            columns=tuple(self._body_columns(relation)) if action is not Action.DELETE else (),
            predicates=predicates,
            returning=_needed(root, key=relation.key) if shows_rows else (),
            body=self.slots.body,
            is_object=self._body_is_object(),
            key=relation.key,
            conflict=conflict,
            resolution=resolution,
            fills_defaults=(
                preferences.missing is Missing.DEFAULT and action in {Action.INSERT, Action.UPDATE}
            ),
        )

    def _check_put(self, relation: Relation) -> None:
        """All and only the columns of the primary key, each by `eq`."""
        conditions = [one for path, one in self.request.query.conditions if not path]
        named = {_column_equalled(one) for one in conditions}
        if not relation.key or named != {*relation.key}:
            raise put_without_whole_key()

    def _conflict(self, relation: Relation) -> tuple[tuple[str, ...], Resolution | None]:
        if self.request.action is Action.PUT:
            return relation.key, Resolution.MERGE
        if self.request.action is not Action.INSERT:
            return (), None
        resolution = self.request.preferences.resolution
        named = self.request.query.on_conflict
        return (relation.key if named is None else named) if resolution else (), resolution

    def _body_columns(self, relation: Relation) -> Iterable[BodyColumn]:
        body = self.request.body
        keys = body.keys if isinstance(body, JsonBody) else ()
        columns = self.request.query.columns
        if columns is None or self.request.action is Action.PUT:
            columns = keys or ()
        for name in dict.fromkeys(columns):
            column = relation.columns.get(name)
            if column is None:
                raise ApiError(
                    "PGRST204",
                    f"Could not find the '{name}' column of '{relation.name.name}' "
                    "in the schema cache",
                )
            type_ = column.nominal_type
            transform = self.schema.representations.get(("json", type_))
            yield BodyColumn(name, "json" if transform else type_, transform, column.default)

    def _body_is_object(self) -> bool:
        body = self.request.body
        return isinstance(body, JsonBody) and shape.is_object(body)

    def _answer(self, relation: Name, root: Node) -> Answer:
        has_default_select = (
            not root.children and len(root.outputs) == 1 and root.outputs[0].operand.name == "*"
        )
        return negotiation.choose(
            self.request, self.schema, self.config, relation, has_default_select=has_default_select
        )

    def _warning(self) -> str | None:
        if not self.renamed:
            return None
        changes = ", ".join(f"`{name}` to `{alias}`" for name, alias in self.renamed.items())
        return RENAMED.format(changes=changes)

    # The tree of relations.

    def _tree(self, relation: Name, *, alias: str | None) -> Node:
        """The relation and its embeds; with an alias it is read from what SQL gave before."""
        root = Node(
            relation=Name("", SOURCE) if alias else relation,
            label=relation.name,
            handle=SOURCE,
            alias=alias,
        )
        query = self.request.query
        found: dict[Path, tuple[Node, Name]] = {}
        branches = _Branches(query.select, self.renamed)
        for path in self._paths():
            branches.find(path)
        self._grow(root, relation, branches, found)
        self._condition(found)
        self._order(found)
        self._cut(root, found)
        return root

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
        found: dict[Path, tuple[Node, Name]],
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
            alias=f"{relationship.target.name[:40]}_{self.handles}",
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

    def _condition(self, found: dict[Path, tuple[Node, Name]]) -> None:
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

    def _order(self, found: dict[Path, tuple[Node, Name]]) -> None:
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

    def _cut(self, root: Node, found: dict[Path, tuple[Node, Name]]) -> None:
        if self.request.action.is_mutation:
            return
        for node in _with_embeds(root):
            node.most = self.config.max_rows
        for path, window in self.request.query.windows.items():
            node, _ = found[path]
            limit, offset = self.slots.windows[path]
            if window.limit is not None or self.config.max_rows is not None:
                node.limit = limit
            if window.offset > 0:
                node.offset = offset


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


def _with_embeds(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _with_embeds(child)


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


def _needed(
    root: Node, *, key: tuple[str, ...] = (), with_conditions: bool = False
) -> tuple[str, ...]:
    """The columns SQL has to give for the answer to be made of them; `*` if nobody can tell."""
    shown = {output.operand.name for output in root.outputs}
    relationships = [child.relationship for child in root.children if child.relationship]
    shows_all = "*" in shown or not (shown or relationships)
    if shows_all or any(one.function for one in relationships):
        return ("*",)
    joined = {name for one in relationships for name in one.columns_used}
    ordered = {order.operand.name for order in root.orders if order.embed is None}
    tested = set(_tested_columns(root.predicates)) if with_conditions else set()
    return tuple(sorted(shown | joined | ordered | tested | set(key)))


def _tested_columns(predicates: Iterable[Predicate]) -> Iterable[str]:
    for predicate in predicates:
        if isinstance(predicate, Group):
            yield from _tested_columns(predicate.terms)
        elif isinstance(predicate, Test):
            yield predicate.operand.name


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


def _column_equalled(condition: Condition) -> str | None:
    """The column of a plain `column=eq.value`; None for any other condition."""
    if not isinstance(condition, Filter) or condition.negated or condition.field.path:
        return None
    operation = condition.operation
    if not isinstance(operation, Compare) or operation.quantifier:
        return None
    return condition.field.name if operation.operator is Operator.EQ else None


def _not_embedded(name: str) -> ApiError:
    return ApiError(
        "PGRST108",
        f"'{name}' is not an embedded resource in this request",
        hint=f"Verify that '{name}' is included in the 'select' query parameter.",
    )
