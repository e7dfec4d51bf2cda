"""The shape of a database: what a client of the Data API can name, read from the catalogue."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from psycopg.rows import class_row, dict_row

from nlctl import database
from nlctl.errors import InvalidInput
from nlctl.typegen import views
from nlctl.typegen.order import by_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection

_BY_POSTGREST = {"json", "jsonb", "text"}  # what an argument without a name may be
_IN = {"i", "b", "v"}


@dataclass(frozen=True)
class Type:
    """A type: base, array, enum, composite, or the row of a relation."""

    id: int
    schema: str
    name: str
    format: str
    element_id: int | None
    relation_id: int | None
    labels: Sequence[str]
    attributes: Sequence[tuple[str, int]]


@dataclass(frozen=True)
class Column:
    """A column; `type_id` is that below its domain."""

    number: int
    name: str
    type_id: int
    is_nullable: bool
    has_default: bool
    is_identity: bool
    is_read_only: bool

    @property
    def is_optional(self) -> bool:
        """Whether an insert may leave it out."""
        return self.is_nullable or self.has_default


@dataclass(frozen=True)
class Relation:
    """A table or a view, its columns in the order of their names."""

    id: int
    schema: str
    name: str
    is_view: bool
    takes_inserts: bool
    takes_updates: bool
    columns: tuple[Column, ...]
    definition: str | None

    def names(self, numbers: Sequence[int]) -> list[str]:
        """The names of the columns with these numbers, in the order of the numbers given."""
        by_number = {column.number: column.name for column in self.columns}
        return [by_number[number] for number in numbers]


@dataclass(frozen=True)
class Reference:
    """A foreign key, of a table or seen through views, as a client embeds along it."""

    name: str
    relation_id: int
    referenced_id: int
    columns: tuple[int, ...]
    referenced_columns: tuple[int, ...]
    is_one_to_one: bool


@dataclass(frozen=True)
class Argument:
    """An argument of a function, or a column of the table it returns."""

    mode: str
    name: str
    type_id: int
    has_default: bool


@dataclass(frozen=True)
class Function:
    """One overload; arguments in the order of their names, by which they are passed."""

    schema: str
    name: str
    signature: str
    result: str
    return_type_id: int
    is_set: bool
    returns_many: bool
    arguments: tuple[Argument, ...]

    @cached_property
    def inputs(self) -> tuple[Argument, ...]:
        """What a caller passes."""
        return tuple(argument for argument in self.arguments if argument.mode in _IN)

    @cached_property
    def table(self) -> tuple[Argument, ...]:
        """The columns of `returns table`."""
        return tuple(argument for argument in self.arguments if argument.mode == "t")


@dataclass(frozen=True)
class Shape:
    """All of it, each collection in the order of its names."""

    schemas: tuple[str, ...]
    relations: tuple[Relation, ...]
    references: tuple[Reference, ...]
    functions: tuple[Function, ...]
    types: dict[int, Type]

    @cached_property
    def relation_of(self) -> dict[int, Relation]:
        """Relations by id."""
        return {relation.id: relation for relation in self.relations}

    def relations_in(self, schema: str, *, views: bool) -> list[Relation]:
        """The tables, or the views, of a schema."""
        return [r for r in self.relations if r.schema == schema and r.is_view is views]

    def references_of(self, relation: Relation) -> list[Reference]:
        """The foreign keys that lead from a relation to others of its schema."""
        return [
            reference
            for reference in self.references
            if reference.relation_id == relation.id
            and self.relation_of[reference.referenced_id].schema == relation.schema
        ]

    def functions_in(self, schema: str) -> dict[str, list[Function]]:
        """The overloads of each name in a schema that the Data API can call."""
        found: dict[str, list[Function]] = defaultdict(list)
        for function in self.functions:
            if function.schema == schema and self._is_callable(function):
                found[function.name].append(function)
        return found

    def enums_in(self, schema: str) -> list[Type]:
        """The enumerations of a schema."""
        return [t for t in self._sorted_types if t.schema == schema and t.labels]

    def composites_in(self, schema: str) -> list[Type]:
        """The composite types of a schema; rows of relations are not among them."""
        return [t for t in self._sorted_types if t.schema == schema and t.attributes]

    def row_type(self, type_id: int) -> Type | None:
        """The type, if its values are rows of a relation or composites."""
        found = self.types.get(type_id)
        return found if found and found.relation_id else None

    @cached_property
    def _sorted_types(self) -> list[Type]:
        return sorted(self.types.values(), key=lambda each: by_name(each.name))

    def _is_callable(self, function: Function) -> bool:
        """PostgREST passes by name, but for one json or text, or one row, alone."""
        nameless = [argument for argument in function.inputs if not argument.name]
        if not nameless:
            return True
        if len(function.inputs) == 1 and self.row_type(nameless[0].type_id):
            return True
        fit = all(self.types[argument.type_id].name in _BY_POSTGREST for argument in nameless)
        return fit and (len(function.inputs) == 1 or all(a.has_default for a in nameless))


def read(connection: Connection, schemas: Sequence[str]) -> Shape:
    """The shape of `schemas`; one that does not exist is refused."""
    if not schemas:
        raise InvalidInput(
            "None of the exposed schemas is in this database.", hint="Name one with --schema."
        )
    missing = set(schemas) - set(existing(connection, schemas))
    if missing:
        raise InvalidInput(f"This database has no schema {min(missing)}.")
    types = {each.id: each for each in _read(connection, "types", class_row(Type))}
    relations = _read_relations(connection, schemas)
    origins = views.Origins(relations)
    shown = {origins.find(view.id, c.number) for view in origins.views for c in view.columns}
    never_null = connection.execute(
        _query("never_null"), {"relations": list({origin[0] for origin in shown if origin})}
    ).fetchall()
    return Shape(
        tuple(sorted(set(schemas), key=by_name)),
        tuple(views.settle_nulls(relations, origins, set(never_null))),
        _read_references(connection, relations, origins),
        _read_functions(connection, schemas),
        types,
    )


def existing(connection: Connection, schemas: Sequence[str]) -> list[str]:
    """Those of `schemas` that the database has."""
    found = connection.execute(_query("schemas"), {"schemas": list(schemas)}).fetchall()
    return [schema for schema in schemas if (schema,) in found]


def _query(name: str) -> Any:
    return database.load_sql("nlctl.typegen.sql", name)


def _read(connection: Connection, name: str, row_factory: Any, **values: Any) -> list[Any]:
    with connection.cursor(row_factory=row_factory) as cursor:
        return list(cursor.execute(_query(name), values))


def _read_relations(connection: Connection, schemas: Sequence[str]) -> list[Relation]:
    relations = [
        Relation(**{**row, "columns": _columns(row["columns"])})
        for row in _read(connection, "relations", dict_row, schemas=list(schemas))
    ]
    return sorted(relations, key=lambda each: (by_name(each.schema), by_name(each.name)))


def _columns(found: list[dict[str, Any]]) -> tuple[Column, ...]:
    return tuple(sorted((Column(**each) for each in found), key=lambda each: by_name(each.name)))


def _read_references(
    connection: Connection, relations: Sequence[Relation], origins: views.Origins
) -> tuple[Reference, ...]:
    known = {relation.id: relation for relation in relations}
    of_tables = [
        each
        for each in _read(connection, "references", class_row(Reference))
        if each.relation_id in known
    ]
    all_ways = [
        way
        for reference in of_tables
        for way in views.expand(reference, origins)
        if way.referenced_id in known
    ]

    def order(each: Reference) -> Any:
        referenced = known[each.referenced_id]
        names = ",".join(referenced.names(each.referenced_columns))
        return by_name(each.name), by_name(referenced.name), by_name(names)

    return tuple(sorted(all_ways, key=order))


def _read_functions(connection: Connection, schemas: Sequence[str]) -> tuple[Function, ...]:
    functions = [
        Function(**{**row, "arguments": _arguments(row["arguments"])})
        for row in _read(connection, "functions", dict_row, schemas=list(schemas))
    ]
    return tuple(
        sorted(functions, key=lambda f: (by_name(f.name), by_name(f.signature), by_name(f.result)))
    )


def _arguments(found: list[dict[str, Any]]) -> tuple[Argument, ...]:
    return tuple(sorted((Argument(**each) for each in found), key=lambda each: by_name(each.name)))
