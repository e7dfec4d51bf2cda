"""TypeScript: the shape of a database as the Supabase CLI writes it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING

from nlctl.typegen.layout import NULL, Array, Both, List, Node, Object, Text, Union, key, literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nlctl.typegen.shape import Argument, Column, Function, Reference, Relation, Shape, Type

_UNKNOWN = Text("unknown")
_JSON = Text("Json")
_PLAIN = {
    "bool": "boolean",
    **dict.fromkeys(("int2", "int4", "int8", "float4", "float8", "numeric"), "number"),
    **dict.fromkeys(("text", "varchar", "bpchar", "citext", "uuid", "bytea", "vector"), "string"),
    **dict.fromkeys(("date", "time", "timetz", "timestamp", "timestamptz", "interval"), "string"),
    **dict.fromkeys(("json", "jsonb"), "Json"),
    "void": "undefined",
    "record": "Record<string, unknown>",
}
_HEAD = """export type Json =
  | string
  | number
  | boolean
  | null
  | { [key: string]: Json | undefined }
  | Json[]

"""
_NOTHING = Object([("[_ in never]", Text("never"))])


def write(shape: Shape) -> str:
    """The file: the type Database, shorthands for its parts, and the enums as values."""
    writer = _Writer(shape)
    default = "public" if "public" in shape.schemas else shape.schemas[0]
    shorthands = files("nlctl.typegen").joinpath("shorthands.ts").read_text(encoding="utf-8")
    return (
        _HEAD
        + f"export type Database = {writer.database().broken(0)}\n\n"
        + shorthands.replace('"public"', literal(default))
        + f"\nexport const Constants = {writer.constants().broken(0)} as const\n"
    )


@dataclass(frozen=True)
class _Writer:
    shape: Shape

    def database(self) -> Object:
        return Object([(key(schema), self.schema(schema)) for schema in self.shape.schemas])

    def schema(self, schema: str) -> Object:
        tables = self.shape.relations_in(schema, views=False)
        views = self.shape.relations_in(schema, views=True)
        functions = self.shape.functions_in(schema)
        return Object(
            [
                ("Tables", _named((table.name, self.relation(table)) for table in tables)),
                ("Views", _named((view.name, self.relation(view)) for view in views)),
                ("Functions", _named((n, self.overloads(f)) for n, f in functions.items())),
                ("Enums", _named((e.name, _labels(e)) for e in self.shape.enums_in(schema))),
                (
                    "CompositeTypes",
                    _named((c.name, self.composite(c)) for c in self.shape.composites_in(schema)),
                ),
            ]
        )

    def constants(self) -> Object:
        def values(schema: str) -> Object:
            enums = [
                (key(enum.name), List([Text(literal(label)) for label in enum.labels]))
                for enum in self.shape.enums_in(schema)
            ]
            return Object([("Enums", Object(enums, separator=","))], separator=",")

        return Object([(key(each), values(each)) for each in self.shape.schemas], separator=",")

    # Relations

    def relation(self, relation: Relation) -> Object:
        computed = self.computed_fields[relation.id]
        names = [Text(literal(function.name)) for function in computed]
        parts: list[tuple[str, Node]] = [
            ("Row", Object([*self.row(relation), *map(self.computed_field, computed)])),
            ("ComputedFields", Union(names) if names else Text("never")),
        ]
        if relation.takes_inserts:
            parts.append(("Insert", self.written(relation, is_new=True)))
        if relation.takes_updates:
            parts.append(("Update", self.written(relation, is_new=False)))
        references = self.shape.references_of(relation)
        return Object([*parts, ("Relationships", List(list(map(self.reference, references))))])

    def row(self, relation: Relation) -> list[tuple[str, Node]]:
        return [(key(column.name), self.value(column)) for column in relation.columns]

    def value(self, column: Column, *, is_nullable: bool | None = None) -> Node:
        node = self.spell(column.type_id)
        may_be_null = column.is_nullable if is_nullable is None else is_nullable
        if node == _JSON and not may_be_null:
            return Text("NonNullable<Json>")
        return _nullable(node) if may_be_null else node

    def written(self, relation: Relation, *, is_new: bool) -> Object:
        members: list[tuple[str, Node]] = []
        for column in relation.columns:
            is_optional = not is_new or relation.is_view or column.is_optional
            value = self.value(column, is_nullable=relation.is_view or column.is_nullable)
            if column.is_read_only:
                is_optional, value = True, Text("never")
            members.append((key(column.name) + "?" * is_optional, value))
        return Object(members)

    def reference(self, reference: Reference) -> Object:
        referenced = self.shape.relation_of[reference.referenced_id]
        columns = self.shape.relation_of[reference.relation_id].names(reference.columns)
        referenced_columns = referenced.names(reference.referenced_columns)
        return Object(
            [
                ("foreignKeyName", Text(literal(reference.name))),
                ("columns", _strings(columns)),
                ("isOneToOne", _boolean(reference.is_one_to_one)),
                ("referencedRelation", Text(literal(referenced.name))),
                ("referencedColumns", _strings(referenced_columns)),
            ]
        )

    @cached_property
    def computed_fields(self) -> dict[int, list[Function]]:
        """Functions of one row, by the relation of the row: clients select them like columns."""
        found: dict[int, list[Function]] = {relation.id: [] for relation in self.shape.relations}
        for schema in self.shape.schemas:
            for overloads in self.shape.functions_in(schema).values():
                for function in overloads:
                    relation = self.row_relation(function)
                    if relation and relation.schema == schema:
                        found[relation.id].append(function)
        return found

    def row_relation(self, function: Function) -> Relation | None:
        if len(function.inputs) != 1:
            return None
        row = self.shape.row_type(function.inputs[0].type_id)
        return self.shape.relation_of.get(row.relation_id or 0) if row else None

    def computed_field(self, function: Function) -> tuple[str, Node]:
        return key(function.name), _nullable(self.returned(function))

    # Functions

    def overloads(self, functions: Sequence[Function]) -> Node:
        signatures = [self.signature(function, functions) for function in functions]
        return signatures[0] if len(signatures) == 1 else Union(signatures)

    def signature(self, function: Function, overloads: Sequence[Function]) -> Object:
        takes = Object([self.argument(each) for each in function.inputs], is_open=False)
        members: list[tuple[str, Node]] = [
            ("Args", takes if function.inputs else Text("Record<PropertyKey, never>"))
        ]
        complaint = self.complaint(function, overloads)
        if complaint:
            failure = Object([("error", Text("true"))], is_open=False)
            return Object([*members, ("Returns", Both(failure, literal(complaint)))], is_open=False)
        row = self.shape.row_type(function.return_type_id)
        is_many = function.is_set and (function.returns_many or row is None)
        returned = self.returned(function)
        members.append(("Returns", Array(returned) if is_many else returned))
        if row:
            members.append(("SetofOptions", self.set_options(function, row)))
        return Object(members, is_open=False)

    def argument(self, argument: Argument) -> tuple[str, Node]:
        node = self.spell(argument.type_id)
        row = self.shape.row_type(argument.type_id)
        if argument.name and row and row.relation_id in self.shape.relation_of:
            path = self.path(self.shape.relation_of[row.relation_id])
            node = List([node, Text(f'{path}["ComputedFields"]')], "Omit<", ">", trailing="")
        return key(argument.name) + "?" * argument.has_default, node

    def returned(self, function: Function) -> Node:
        """One of what a function returns."""
        if function.table:
            return Object([(key(each.name), self.spell(each.type_id)) for each in function.table])
        row = self.shape.row_type(function.return_type_id)
        relation = self.shape.relation_of.get(row.relation_id or 0) if row else None
        if relation and relation.schema == function.schema:
            return Object(self.row(relation))
        return self.spell(function.return_type_id)

    def set_options(self, function: Function, returned: Type) -> Object:
        """What lets a client select from, and embed, the rows that a function returns."""
        only = function.arguments[0] if len(function.arguments) == 1 else None
        source = self.shape.row_type(only.type_id) if only else None
        return Object(
            [
                ("from", Text(literal(source.format if source else "*"))),
                ("to", Text(literal(returned.name))),
                ("isOneToOne", _boolean(not function.returns_many)),
                ("isSetofReturn", _boolean(function.is_set)),
            ]
        )

    def complaint(self, function: Function, overloads: Sequence[Function]) -> str | None:
        """What PostgREST will answer to every call of a function that nobody can call."""
        name = f"{function.schema}.{function.name}"
        rivals = [other for other in overloads if _is_rival(function, other)]
        if rivals:
            ways = sorted([function, *rivals], key=lambda way: way.inputs[0].type_id)
            told = ", ".join(f"{name}({self.tell(way.inputs[0])})" for way in ways)
            return (
                f"Could not choose the best candidate function between: {told}. Try renaming the "
                "parameters or the function itself in the database so function overloading can be "
                "resolved"
            )
        is_nameless_row = self.row_relation(function) and not function.inputs[0].name
        if is_nameless_row and not self.shape.row_type(function.return_type_id):
            return (
                f"the function {name} with parameter or with a single unnamed json/jsonb parameter,"
                " but no matches were found in the schema cache"
            )
        return None

    def tell(self, argument: Argument) -> str:
        return f"{argument.name} => {self.shape.types[argument.type_id].name}"

    # Types

    def composite(self, composite: Type) -> Object:
        return Object([(key(n), _nullable(self.spell(t))) for n, t in composite.attributes])

    def spell(self, type_id: int) -> Node:
        """A value of a type, as JSON has it."""
        found = self.shape.types[type_id]
        if found.name in _PLAIN:
            return Text(_PLAIN[found.name])
        if found.element_id:
            return Array(self.spell(found.element_id))
        is_known = found.schema in self.shape.schemas
        place = f"Database[{literal(found.schema)}]"
        if found.labels:
            name = Text(f'{place}["Enums"][{literal(found.name)}]')
            return name if is_known else _labels(found)
        if found.attributes and is_known:
            return Text(f'{place}["CompositeTypes"][{literal(found.name)}]')
        relation = self.shape.relation_of.get(found.relation_id or 0)
        return Text(f'{self.path(relation)}["Row"]') if relation else _UNKNOWN

    def path(self, relation: Relation) -> str:
        kind = "Views" if relation.is_view else "Tables"
        return f'Database[{literal(relation.schema)}]["{kind}"][{literal(relation.name)}]'


def _is_rival(function: Function, other: Function) -> bool:
    """Whether a call by name cannot tell the two apart."""
    if len(function.inputs) != 1 or len(other.inputs) != 1:
        return False
    [ours], [theirs] = function.inputs, other.inputs
    return bool(ours.name) and ours.name == theirs.name and ours.type_id != theirs.type_id


def _named(members: Iterable[tuple[str, Node]]) -> Object:
    named = [(key(name), node) for name, node in members]
    return Object(named) if named else _NOTHING


def _nullable(node: Node) -> Node:
    return node if node == _UNKNOWN else Union([node, NULL])


def _labels(enum: Type) -> Node:
    literals = [Text(literal(label)) for label in enum.labels]
    return Union(literals) if len(literals) > 1 else literals[0]


def _strings(texts: Iterable[str]) -> List:
    return List([Text(literal(text)) for text in texts])


def _boolean(value: bool) -> Text:
    return Text("true" if value else "false")
