"""SQL: one statement for each plan, with a numbered parameter for each value.

Names and the texts of JSON paths are quoted; nothing else of a request becomes part of the text.
"""

# ruff: noqa: S608 (building SQL is what this module is for; see above)
from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlctl.local.rest.names import array, identifier, identifiers, literal
from nlctl.local.rest.negotiation import Form
from nlctl.local.rest.nodes import SOURCE, EmbedTest, Group, Test
from nlctl.local.rest.plan import BodyColumn
from nlctl.local.rest.request import (
    Action,
    Compare,
    Connective,
    Count,
    Direction,
    In,
    Is,
    Join,
    Match,
    Nulls,
    Operator,
    Resolution,
    Search,
    Truth,
)

if TYPE_CHECKING:
    from nlctl.local.rest.nodes import Lifted, Node, Operand, Order, Output, Predicate
    from nlctl.local.rest.plan import Argument, Call, Mutation, Plan
    from nlctl.local.rest.request import JsonStep, PlanOptions
    from nlctl.local.rest.shape import Values

Slot = int | tuple[int, ...]
"""Where a parameter is among the values of a shape; several make an array."""

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

_WORDS = re.compile(r"[^\W\d][\w$]*( [^\W\d][\w$]*)*(\[\])?")

SHOWN = "pgrst_shown"
RESULT = "pgrst_result"
FIRST = "pgrst_first"
ROW = "pgrst_row"
ROWS = "pgrst_rows"
SCALAR = "pgrst_scalar"
BODY = "pgrst_body"


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, and where its parameters are among the values."""

    text: bytes
    slots: tuple[Slot, ...] = ()

    def parameters(self, values: Values) -> list[bytes | None]:
        """The values, in the order of the statement's numbers."""
        return [_value(values, slot) for slot in self.slots]


def _value(values: Values, slot: Slot) -> bytes | None:
    if isinstance(slot, int):
        return values[slot]
    return array((values[one] or b"").decode() for one in slot).encode()


def main(plan: Plan) -> Statement:
    """The statement that does what was asked.

    It gives one row, all of it text: total, rows, body, response.headers, response.status,
    inserted, location. With a plan as the answer it gives that, line by line.
    """
    return _Writer().main(plan)


def estimate(plan: Plan) -> Statement | None:
    """The statement that tells how many rows the planner expects, where that was asked for."""
    if plan.mutation or plan.count not in {Count.PLANNED, Count.ESTIMATED}:
        return None
    writer = _Writer()
    if plan.call:
        return None
    return writer.statement(f"explain (format json) {writer.counted(plan.root)}")


class _Writer:
    """Writes one statement, numbering its parameters as they come."""

    def __init__(self) -> None:
        self.slots: list[Slot] = []

    def statement(self, text: str) -> Statement:
        return Statement(text.encode(), tuple(self.slots))

    def parameter(self, slot: Slot) -> str:
        self.slots.append(slot)
        return f"${len(self.slots)}"

    # The whole.

    def main(self, plan: Plan) -> Statement:
        parts = self.before(plan)
        query = self.shown(plan)
        if plan.answer.form is Form.CSV:  # which names the columns, then reads the rows
            parts.append(f"{SHOWN} as ({query})")
            query = f"select * from {SHOWN}"
        columns = [
            self.total(plan, parts),
            _rows(plan),
            self.body(plan),
            "nullif(current_setting('response.headers', true), '')",
            "nullif(current_setting('response.status', true), '')",
            self.inserted(plan),
            self.location(plan),
        ]
        before = f"with {', '.join(parts)} " if parts else ""
        text = f"{before}select {', '.join(columns)} from ({query}) as {RESULT}"
        if plan.answer.explain:
            text = f"explain ({_explain_options(plan.answer.explain)}) {text}"
        return self.statement(text)

    def before(self, plan: Plan) -> list[str]:
        """What has to be done before there are rows to show."""
        if plan.mutation:
            return [f"{SOURCE} as ({self.mutation(plan.mutation)})"]
        return [f"{SOURCE} as ({self.call(plan.call)})"] if plan.call else []

    def shown(self, plan: Plan) -> str:
        """The rows of the answer; of a mutation that shows none, just how many they are."""
        if plan.mutation and plan.answer.form is Form.NOTHING:
            return f"select from {SOURCE}"
        return self.query(plan.root)

    def total(self, plan: Plan, parts: list[str]) -> str:
        """The rows there would be without a window. What counts them is added to the parts."""
        if plan.mutation or plan.count not in {Count.EXACT, Count.ESTIMATED}:
            return "null"
        if plan.max_rows is None and not plan.is_windowed:
            return _rows(plan)
        counted = self.counted(plan.root)
        if plan.count is Count.ESTIMATED and plan.max_rows is not None and not plan.call:
            counted += f" limit {plan.max_rows + 1}"
        parts.append(f"pgrst_counted as ({counted})")
        return "(select count(*)::text from pgrst_counted)"

    def inserted(self, plan: Plan) -> str:
        if plan.mutation and plan.mutation.counts_inserted:
            return "coalesce(nullif(current_setting('pgrst.inserted', true), ''), '0')"
        return "null"

    def location(self, plan: Plan) -> str:
        """The key of the one row inserted, as a JSON array of names and values."""
        if not plan.shows_location or plan.mutation is None or not plan.mutation.key:
            return "null"
        shown = ", ".join(literal(name) for name in plan.mutation.key)
        return (
            "case when count(*) = 1 then ("
            "select json_agg(json_build_array(key, value))::text "
            f"from (select to_json({FIRST}) as row from {SOURCE} as {FIRST} limit 1) as one, "
            f"json_each_text(one.row) where key in ({shown})) end"
        )

    def body(self, plan: Plan) -> str:
        answer = plan.answer
        function = plan.call.function if plan.call else None
        if answer.form is Form.NOTHING:
            return "''"
        if answer.form is Form.CSV:
            return _csv()
        if answer.form is Form.GEOJSON:
            return (
                "json_build_object('type', 'FeatureCollection', 'features', "
                f"coalesce(json_agg(st_asgeojson({RESULT})::json), '[]'))::text"
            )
        is_scalar = function is not None and not function.returns_rows
        row = f"{RESULT}.{SCALAR}" if is_scalar else RESULT
        if answer.form is Form.CUSTOM and answer.handler:
            target = answer.handler.target
            cast = f"::{target.sql}" if target and not is_scalar else ""
            return f"{answer.handler.function.sql}({row}{cast})"
        is_one = answer.form is Form.SINGLE or (function is not None and not function.returns_set)
        rows = f"json_agg({row})"
        if answer.strips_nulls:
            rows = f"json_strip_nulls({rows})"
        return f"coalesce(({rows}->0)::text, 'null')" if is_one else f"coalesce({rows}::text, '[]')"

    # Reading.

    def query(self, node: Node) -> str:
        """The rows of a node with its embeds beside them."""
        joins = [self.join(child) for child in node.children]
        columns, groups = self.columns(node)
        parts = [f"select {', '.join(columns)}", self.origin(node), *joins, self.where(node)]
        if groups:
            parts.append(f"group by {', '.join(groups)}")
        if node.orders:
            parts.append(f"order by {', '.join(self.order(node, one) for one in node.orders)}")
        parts.append(self.window(node))
        return " ".join(part for part in parts if part)

    def origin(self, node: Node) -> str:
        relationship = node.relationship
        if relationship and relationship.function and node.parent:
            row = f"{_row(node.parent)}::{relationship.relation.sql}"
            return f"from {relationship.function.sql}({row}) as {identifier(node.alias or '')}"
        alias = f" as {identifier(node.alias)}" if node.alias else ""
        junction = ""
        if relationship and relationship.junction:
            junction = f", {relationship.junction.table.sql} as {_junction(node)}"
        return f"from {node.relation.sql}{alias}{junction}"

    def where(self, node: Node) -> str:
        conditions = _join_conditions(node)
        conditions += [self.predicate(_qualifier(node), one) for one in node.predicates]
        return f"where {' and '.join(conditions)}" if conditions else ""

    def window(self, node: Node) -> str:
        parts = []
        if node.limit is not None:
            parts.append(f"limit {self.parameter(node.limit)}")
        elif node.most is not None:
            parts.append(f"limit {node.most}")
        if node.offset is not None:
            parts.append(f"offset {self.parameter(node.offset)}")
        return " ".join(parts)

    def columns(self, node: Node) -> tuple[list[str], list[str]]:
        """What is selected, and the numbers of those that rows are grouped by."""
        columns: list[str] = []
        groups: list[str] = []

        def add(column: str, *, is_aggregate: bool) -> None:
            columns.append(column)
            if not is_aggregate:
                groups.append(str(len(columns)))

        for output in node.outputs:
            add(self.output(node, output), is_aggregate=output.aggregate is not None)
        for child in node.children:
            if child.is_spread:
                for one in child.lifted:
                    is_aggregate = one.aggregate is not None and not node.is_lifted_whole
                    add(_lifted(child, one, aggregates=is_aggregate), is_aggregate=is_aggregate)
            elif not child.shows_nothing:
                add(_embedded(child), is_aggregate=False)
        if not node.outputs and not node.children:
            columns = [f"{_qualifier(node)}.*"]
        is_aggregated = (
            len(groups) < len(columns) and bool(columns) and bool(node.outputs or node.children)
        )
        return columns, groups if is_aggregated else []

    def output(self, node: Node, output: Output) -> str:
        value = self.operand(_qualifier(node), output.operand)
        if output.operand.transform:
            value = f"{output.operand.transform}({value})"
        if output.cast:
            value = _cast(value, output.cast)
        if output.aggregate:
            is_row_count = output.operand.name == "*" and not output.operand.is_row
            value = f"{output.aggregate}({'*' if is_row_count else value})"
        if output.aggregate_cast:
            value = _cast(value, output.aggregate_cast)
        return f"{value} as {identifier(output.alias)}" if output.alias else value

    def join(self, child: Node) -> str:
        """The embed as a join of one row at most: one found, or all found made into one."""
        is_inner = child.join is Join.INNER
        kind = "inner" if is_inner else "left"
        query = self.query(child)
        condition = "true"
        if not child.is_to_one:
            gathered = [f"json_agg({ROW})::jsonb as {ROWS}"]
            if child.is_spread:
                gathered += [_gathered(one) for one in child.lifted]
            query = f"select {', '.join(gathered)} from ({query}) as {ROW}"
            if is_inner:
                condition = f"{child.handle}.{ROWS} is not null"
        return f"{kind} join lateral ({query}) as {child.handle} on {condition}"

    # Conditions.

    def predicate(self, table: str, predicate: Predicate) -> str:
        if isinstance(predicate, Group):
            word = " and " if predicate.connective is Connective.AND else " or "
            terms = word.join(self.predicate(table, term) for term in predicate.terms)
            return f"{_not(predicate.is_negated)}({terms})"
        if isinstance(predicate, EmbedTest):
            return _embed_test(predicate)
        return f"{_not(predicate.is_negated)}{self.test(table, predicate)}"

    def test(self, table: str, test: Test) -> str:
        operand = self.operand(table, test.operand)
        operation = test.operation
        if isinstance(operation, Is):
            return f"{operand} is {TRUTHS[operation.value]}"
        value = self.parameter(test.slot)
        if isinstance(operation, Match):
            return _match(operand, value, operation, is_document=test.operand.is_document)
        transform = test.operand.transform
        if isinstance(operation, In):
            if transform:
                value = f"(select {transform}(one) from unnest({value}::text[]) as one)"
            return f"{operand} = any ({value})"
        if transform and operation.operator not in AS_WRITTEN:
            value = f"{transform}({value})"
        return _compare(operand, value, operation)

    def operand(self, table: str, operand: Operand) -> str:
        if operand.is_row:
            return table
        column = f"{table}.{_column(operand.name)}"
        if not operand.path:
            return column
        start = column if operand.is_json else f"to_jsonb({column})"
        return f"({start}{''.join(_step(step) for step in operand.path)})"

    def order(self, node: Node, order: Order) -> str:
        table = order.embed.handle if order.embed else _qualifier(node)
        direction = {Direction.ASC: " asc", Direction.DESC: " desc"}
        nulls = {Nulls.FIRST: " nulls first", Nulls.LAST: " nulls last"}
        return (
            self.operand(table, order.operand)
            + (direction[order.direction] if order.direction else "")
            + (nulls[order.nulls] if order.nulls else "")
        )

    # Counting.

    def counted(self, node: Node) -> str:
        """The rows of a node without their columns; inner joins are asked for, not made."""
        conditions = _join_conditions(node)
        conditions += [self.counted_predicate(node, one) for one in node.predicates]
        conditions += [
            f"exists ({self.counted(child)})" for child in node.children if child.join is Join.INNER
        ]
        where = f" where {' and '.join(conditions)}" if conditions else ""
        return f"select 1 {self.origin(node)}{where}"

    def counted_predicate(self, node: Node, predicate: Predicate) -> str:
        if isinstance(predicate, Group):
            word = " and " if predicate.connective is Connective.AND else " or "
            terms = word.join(self.counted_predicate(node, term) for term in predicate.terms)
            return f"{_not(predicate.is_negated)}({terms})"
        if isinstance(predicate, EmbedTest):
            return f"{_not(predicate.is_null)}exists ({self.counted(predicate.embed)})"
        return self.predicate(_qualifier(node), predicate)

    # Writing.

    def mutation(self, mutation: Mutation) -> str:
        if mutation.action is Action.DELETE:
            statement = f"delete from {mutation.relation.sql}{self.changed_rows(mutation)}"
        elif mutation.action is Action.UPDATE:
            if not mutation.columns:
                return _nothing_changed(mutation)
            statement = self.update(mutation)
        else:
            statement = self.insert(mutation)
        return f"{statement} returning {_returned(mutation.relation.sql, mutation.returning)}"

    def insert(self, mutation: Mutation) -> str:
        names = [column.name for column in mutation.columns]
        target = f"({identifiers(names)}) " if names else ""
        shown = ", ".join(f"{BODY}.{identifier(name)}" for name in names)
        rows = self.body_rows(mutation, is_one=False)
        return (
            f"insert into {mutation.relation.sql} {target}select {shown} from {rows}"
            f"{self.inserted_rows(mutation)}{_on_conflict(mutation)}"
        )

    def inserted_rows(self, mutation: Mutation) -> str:
        """Count what is inserted, and for PUT, let only the row pass that its filters name."""
        conditions = []
        if mutation.counts_inserted:
            conditions.append(_count_inserted(1))
        if mutation.action is Action.PUT:
            conditions += [self.predicate(BODY, one) for one in mutation.predicates]
        return f" where {' and '.join(conditions)}" if conditions else ""

    def update(self, mutation: Mutation) -> str:
        assignments = ", ".join(
            f"{identifier(column.name)} = {BODY}.{identifier(column.name)}"
            for column in mutation.columns
        )
        rows = self.body_rows(mutation, is_one=True)
        return (
            f"update {mutation.relation.sql} set {assignments} from {rows}"
            f"{self.changed_rows(mutation)}"
        )

    def changed_rows(self, mutation: Mutation) -> str:
        table = mutation.relation.sql
        conditions = [self.predicate(table, one) for one in mutation.predicates]
        return f" where {' and '.join(conditions)}" if conditions else ""

    def body_rows(self, mutation: Mutation, *, is_one: bool) -> str:
        """The body as rows of the columns that are written."""
        return self.rows_of_body(
            mutation.columns,
            mutation.body,
            is_object=mutation.is_object,
            is_one=is_one,
            fills_defaults=mutation.fills_defaults,
        )

    def rows_of_body(
        self,
        columns: tuple[BodyColumn, ...],
        slot: int,
        *,
        is_object: bool,
        is_one: bool,
        fills_defaults: bool = False,
    ) -> str:
        json = "jsonb" if fills_defaults else "json"
        payload = f"(select {self.parameter(slot)}::{json} as content) as pgrst_payload"
        if fills_defaults:
            payload += f", lateral ({_filled(columns, is_object=is_object)}) as pgrst_filled"
        content = "pgrst_filled.content" if fills_defaults else "pgrst_payload.content"
        if columns:
            read = "to_record" if is_object else "to_recordset"
            typed = ", ".join(f"{identifier(one.name)} {one.type}" for one in columns)
            rows = f"{json}_{read}({content}) as _ ({typed})"
        elif is_object:
            rows = "(values (1)) as _"
        else:
            rows = f"{json}_array_elements({content}) as _"
        shown = ", ".join(_read(one) for one in columns)
        limit = " limit 1" if is_one else ""
        return f"{payload}, lateral (select {shown} from {rows}{limit}) as {BODY}"

    # Calling.

    def call(self, call: Call) -> str:
        function = call.function
        is_scalar = not function.returns_rows
        shown = f"pgrst_call.{SCALAR}" if is_scalar else _returned("pgrst_call", call.returning)
        body, arguments = self.arguments(call)
        called = f"{function.name.sql}({arguments})"
        if is_scalar:
            called = f"lateral (select {called} as {SCALAR})"
        return f"select {shown} from {body}{called} as pgrst_call"

    def arguments(self, call: Call) -> tuple[str, str]:
        """What has to be read from the body first, and the arguments themselves."""
        if not call.arguments:
            return "", ""
        if len(call.arguments) == 1 and not call.arguments[0].parameter.name:
            parameter = call.arguments[0].parameter
            return "", f"{self.parameter(call.body)}::{parameter.type}"
        if call.arguments[0].slots:
            return "", ", ".join(self.given(one) for one in call.arguments)
        columns = tuple(_column_of(one) for one in call.arguments)
        rows = self.rows_of_body(columns, call.body, is_object=call.is_object, is_one=True)
        passed = ", ".join(
            _named(one, f"{BODY}.{identifier(one.parameter.name)}") for one in call.arguments
        )
        return f"{rows}, ", passed

    def given(self, argument: Argument) -> str:
        is_variadic = argument.parameter.is_variadic
        slot: Slot = argument.slots if is_variadic else argument.slots[0]
        return _named(argument, f"{self.parameter(slot)}::{argument.parameter.cast}")


# Pieces without values.


def _qualifier(node: Node) -> str:
    """How the columns of a node are told apart from others."""
    return identifier(node.alias) if node.alias else node.relation.sql


def _row(node: Node) -> str:
    """A whole row of a node as one value."""
    return identifier(node.alias or node.relation.name)


def _junction(node: Node) -> str:
    return f"{node.handle}_junction"


def _join_conditions(node: Node) -> list[str]:
    relationship = node.relationship
    if relationship is None or relationship.function or node.parent is None:
        return []
    here, parent = _qualifier(node), _qualifier(node.parent)
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


def _embedded(child: Node) -> str:
    alias = identifier(child.label)
    if child.is_to_one:
        return f"row_to_json({child.handle}.*)::jsonb as {alias}"
    return f"coalesce({child.handle}.{ROWS}, '[]') as {alias}"


def _lifted(child: Node, lifted: Lifted, *, aggregates: bool) -> str:
    value = f"{child.handle}.{_column(lifted.name)}"
    if not child.is_to_one:
        value = f"coalesce({value}, '[]')"
    if aggregates:
        value = f"{lifted.aggregate}({value})"
        if lifted.cast:
            value = _cast(value, lifted.cast)
    return value if lifted.name == "*" else f"{value} as {identifier(lifted.name)}"


def _gathered(lifted: Lifted) -> str:
    name = identifier(lifted.name)
    return f"coalesce(json_agg({ROW}.{name}), '[]')::jsonb as {name}"


def _embed_test(test: EmbedTest) -> str:
    whole = test.embed.handle if test.embed.is_to_one else f"{test.embed.handle}.{ROWS}"
    return f"{whole} is {_not(test.is_null)}distinct from null"


def _not(is_negated: bool) -> str:
    return "not " if is_negated else ""


def _column(name: str) -> str:
    return "*" if name == "*" else identifier(name)


def _cast(value: str, type_: str) -> str:
    """Names of types are words that quotes would change, so only words are let through."""
    written = type_ if _WORDS.fullmatch(type_) else identifier(type_)
    return f"cast({value} as {written})"


def _step(step: JsonStep) -> str:
    arrow = "->>" if step.as_text else "->"
    return f"{arrow}{int(step.key)}::int" if step.is_index else f"{arrow}{literal(step.key)}"


def _compare(operand: str, value: str, operation: Compare) -> str:
    if operation.quantifier:
        value = f"{operation.quantifier} ({value})"
    return f"{operand} {OPERATORS[operation.operator]} {value}"


def _match(operand: str, value: str, operation: Match, *, is_document: bool) -> str:
    language = f"{literal(operation.language)}, " if operation.language is not None else ""
    document = operand if is_document else f"to_tsvector({language}{operand})"
    return f"{document} @@ {SEARCHES[operation.search]}({language}{value})"


def _rows(plan: Plan) -> str:
    """How many rows the answer has."""
    is_one = plan.call is not None and not plan.call.function.returns_set
    return "'1'" if is_one else "count(*)::text"


def _csv() -> str:
    """A line of names, then one for each row, as PostgreSQL writes rows without brackets."""
    names = (
        "(select coalesce(string_agg(name, ','), '') from ("
        f"select json_object_keys(to_json({FIRST})) as name "
        f"from (select * from {SHOWN} limit 1) as {FIRST}"
        ") as names)"
    )
    line = f"substring({RESULT}::text, 2, length({RESULT}::text) - 2)"
    lines = f"coalesce(string_agg({line}, E'\\n'), '')"
    return f"{names} || E'\\n' || {lines}"


def _returned(table: str, columns: tuple[str, ...]) -> str:
    return ", ".join(f"{table}.{_column(name)}" for name in columns) or "1"


def _nothing_changed(mutation: Mutation) -> str:
    shown = _returned(mutation.relation.sql, mutation.returning)
    return f"select {shown} from {mutation.relation.sql} where false"


def _on_conflict(mutation: Mutation) -> str:
    if not mutation.conflict or mutation.resolution is None:
        return ""
    target = f" on conflict ({identifiers(mutation.conflict)}) do"
    if mutation.resolution is Resolution.IGNORE or not mutation.columns:
        return f"{target} nothing"
    names = [identifier(column.name) for column in mutation.columns]
    assignments = ", ".join(f"{name} = excluded.{name}" for name in names)
    return f"{target} update set {assignments} where {_count_inserted(-1)}"


def _count_inserted(step: int) -> str:
    """Always true, and counts as it is asked: one up for a row tried, one down for a conflict."""
    before = "coalesce(nullif(current_setting('pgrst.inserted', true), '')::int, 0)"
    return f"set_config('pgrst.inserted', ({before} + {step})::text, true) is not null"


def _filled(columns: tuple[BodyColumn, ...], *, is_object: bool) -> str:
    """The rows of the body with the defaults of columns that they leave out."""
    pairs = [f"{literal(one.name)}, {one.default}" for one in columns if one.default]
    defaults = f"jsonb_build_object({', '.join(pairs)})"
    if is_object:
        return f"select {defaults} || pgrst_payload.content as content"
    return (
        f"select coalesce(jsonb_agg({defaults} || row), '[]') as content "
        "from jsonb_array_elements(pgrst_payload.content) as row"
    )


def _read(column: BodyColumn) -> str:
    name = identifier(column.name)
    return f"{column.transform}({name}) as {name}" if column.transform else name


def _column_of(argument: Argument) -> BodyColumn:
    return BodyColumn(argument.parameter.name, argument.parameter.cast)


def _named(argument: Argument, value: str) -> str:
    variadic = "variadic " if argument.parameter.is_variadic else ""
    return f"{variadic}{identifier(argument.parameter.name)} => {value}"


def _explain_options(options: PlanOptions) -> str:
    form = "format json" if options.as_json else "format text"
    return ", ".join([form, *options.options])
