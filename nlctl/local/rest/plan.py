"""Plan: a request laid over the schema: what is read, written or called, and how it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlctl.local.rest import hints, negotiation, overloads, shape
from nlctl.local.rest.errors import ApiError, put_without_whole_key
from nlctl.local.rest.names import Name
from nlctl.local.rest.request import (
    Action,
    Compare,
    Filter,
    JsonBody,
    Missing,
    Operator,
    Resolution,
    Return,
)
from nlctl.local.rest.tree import TreePlanner

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nlctl.local.rest.config import RestConfig
    from nlctl.local.rest.negotiation import Answer
    from nlctl.local.rest.nodes import Node, Predicate
    from nlctl.local.rest.request import ApiRequest, Condition, Count
    from nlctl.local.rest.schema import Function, Parameter, Relation, Schema


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
        self.planner = TreePlanner(request, schema, config, self.slots)

    def plan(self) -> Plan:
        if self.request.action.is_call:
            return self._call()
        find_relation(self.schema, self.name)
        return self._mutation() if self.request.action.is_mutation else self._read()

    def _read(self) -> Plan:
        root = self.planner.tree(self.name)
        return Plan(
            root,
            self._answer(self.name, root),
            count=self.request.preferences.count,
            is_windowed=shape.has_window(self.request.query),
            max_rows=self.config.max_rows,
            warning=self.planner.warning,
        )

    def _call(self) -> Plan:
        function = overloads.find(self.schema, self.name, self.request)
        returned = function.returns.name if function.returns_rows else function.name.name
        relation = Name(function.name.schema, returned)
        root = self.planner.tree(relation, alias=returned)
        call = Call(
            function,
            tuple(self._arguments(function)),
            returning=tuple(sorted(root.needs(tests=True))),
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
            warning=self.planner.warning,
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
        root = self.planner.tree(self.name, alias=self.name.name)
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
            warning=self.planner.warning,
        )

    def _write(self, relation: Relation, root: Node, *, shows_rows: bool) -> Mutation:
        action = self.request.action
        preferences = self.request.preferences
        if action is Action.PUT:
            self._check_put(relation)
        conflict, resolution = self._conflict(relation)
        return Mutation(
            action,
            relation.name,
            columns=tuple(self._body_columns(relation)) if action is not Action.DELETE else (),
            predicates=tuple(self.planner.changed_rows(relation.name)),
            returning=_returning(root, relation) if shows_rows else (),
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


def _column_equalled(condition: Condition) -> str | None:
    """The column of a plain `column=eq.value`; None for any other condition."""
    if not isinstance(condition, Filter) or condition.negated or condition.field.path:
        return None
    operation = condition.operation
    if not isinstance(operation, Compare) or operation.quantifier:
        return None
    return condition.field.name if operation.operator is Operator.EQ else None


def _returning(root: Node, relation: Relation) -> tuple[str, ...]:
    needed = root.needs(tests=False)
    return ("*",) if "*" in needed else tuple(sorted(needed | {*relation.key}))
