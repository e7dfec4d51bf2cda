"""What the Data API knows of the database: relations, their relationships, and functions."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from nlctl.local.rest import relationships
from nlctl.local.rest.names import Name
from nlctl.local.rest.relationships import Key, View

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import psycopg

    from nlctl.local.rest.config import RestConfig
    from nlctl.local.rest.relationships import Relationship

CATALOGUE = Path(__file__).parent / "catalogue"

INSERTS, UPDATES, DELETES = 8, 4, 16  # as pg_relation_is_updatable counts them
ANYTHING = ("pg_catalog", "anyelement")


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `type` leaves out domains and modifiers, `nominal_type` keeps them."""

    name: str
    description: str | None
    is_nullable: bool
    type: str
    nominal_type: str
    max_length: int | None
    default: str | None
    labels: Sequence[str]
    """The values of an enum."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or a view. `key` is its primary key, or that of the table a view shows."""

    name: Name
    description: str | None
    is_view: bool
    is_insertable: bool
    is_updatable: bool
    is_deletable: bool
    key: tuple[str, ...]
    columns: Mapping[str, Column]


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a function takes. `cast` is its type without a length that would cut values."""

    name: str
    type: str
    cast: str
    is_required: bool
    is_variadic: bool


@dataclass(frozen=True, slots=True)
class Function:
    """A function that can be called by name."""

    id: int
    name: Name
    description: str | None
    parameters: tuple[Parameter, ...]
    returns: Name
    returns_set: bool
    returns_rows: bool
    """Whether a result has columns: a row type, or several OUT parameters."""
    volatility: str
    is_variadic: bool
    isolation: str | None
    settings: tuple[tuple[str, str], ...]
    """Those set for the whole transaction, not only inside the function."""
    source: str = field(default="", repr=False)
    """The body, where it may change rows."""

    @property
    def is_void(self) -> bool:
        return self.returns == ("pg_catalog", "void") and not self.returns_set

    @property
    def may_write(self) -> bool:
        return self.volatility == "v"


@dataclass(frozen=True, slots=True)
class Handler:
    """What makes an answer of a media type: a function of the database."""

    function: Name
    target: Name | None
    """The row type that the function takes; None for any."""
    media: str
    """What the answer is called."""


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """Everything requests are planned against, read at one moment."""

    relations: Mapping[Name, Relation]
    relationships: Mapping[Name, tuple[Relationship, ...]]
    functions: Mapping[Name, tuple[Function, ...]]
    representations: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """From (type, type) to the function of the cast between them, if it goes by itself."""
    handlers: Mapping[tuple[Name | None, str], Handler] = field(default_factory=dict)
    """By what is asked (a relation, a function; None for any) and the media type wanted."""
    role_settings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


async def read(connection: psycopg.AsyncConnection[Any], config: RestConfig) -> Schema:
    """Look everything up in one snapshot of the catalogue."""
    schemas = list(config.schemas)
    # Views of the extra path may lie between an exposed view and its table.
    around = [*schemas, *config.extra_search_path]
    async with connection.transaction():
        await connection.execute("set transaction isolation level repeatable read read only")
        # Without a search path, every type and function is told with its schema.
        await connection.execute("set local search_path = ''")
        relations = await _rows(connection, "relations", schemas)
        keys = [Key.from_row(row) for row in await _rows(connection, "keys", schemas)]
        views = [View.from_row(row) for row in await _rows(connection, "views", around)]
        functions = await _rows(connection, "functions", schemas)
        computed = await _rows(connection, "computed_relationships", schemas)
        representations = await _rows(connection, "representations", schemas)
        handlers = await _rows(connection, "media_handlers", schemas)
        role_settings = await _rows(connection, "role_settings", schemas)

    copies = relationships.trace(views, keys, exposed=schemas)
    found = [_relation(row, copies) for row in relations]
    by_name = {relation.name: relation for relation in found}
    return Schema(
        relations={name: one for name, one in by_name.items() if name.schema in schemas},
        relationships=relationships.derive(
            keys,
            copies,
            computed=[relationships.computed_from_row(row) for row in computed],
            primary_keys={name: frozenset(one.key) for name, one in by_name.items()},
            exposed=schemas,
        ),
        functions=_by_name(_function(row, config.hoisted_settings) for row in functions),
        representations={
            (row["source"], row["target"]): row["function"] for row in representations
        },
        handlers=dict(_handler(row) for row in handlers),
        role_settings=_by_role(role_settings),
    )


async def read_settings(connection: psycopg.AsyncConnection[Any]) -> dict[str, str]:
    """The `pgrst.*` settings of the login, without their prefix."""
    rows = await _rows(connection, "settings", [])
    return {row["name"]: row["value"] for row in rows}


async def _rows(
    connection: psycopg.AsyncConnection[Any], name: str, schemas: list[str]
) -> list[dict[str, Any]]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_query(name), {"schemas": schemas})
        return await cursor.fetchall()


@cache
def _query(name: str) -> bytes:
    return (CATALOGUE / f"{name}.sql").read_bytes()


def _relation(row: dict[str, Any], copies: relationships.Copies) -> Relation:
    name = Name(row["schema"], row["name"])
    key = copies.primary_key(name) if row["is_view"] else row["key"]
    columns = [Column(**column) for column in row["columns"]]
    return Relation(
        name=name,
        description=row["description"],
        is_view=row["is_view"],
        is_insertable=bool(row["commands"] & INSERTS),
        is_updatable=bool(row["commands"] & UPDATES),
        is_deletable=bool(row["commands"] & DELETES),
        key=tuple(key),
        columns={column.name: column for column in columns},
    )


def _function(row: dict[str, Any], hoisted: tuple[str, ...]) -> Function:
    settings = dict(setting.split("=", 1) for setting in row["settings"])
    isolation = settings.get("default_transaction_isolation")
    return Function(
        id=row["id"],
        name=Name(row["schema"], row["name"]),
        description=row["description"],
        parameters=tuple(Parameter(*values) for values in row["arguments"]),
        returns=Name(row["type_schema"], row["type_name"]),
        returns_set=row["returns_set"],
        returns_rows=row["returns_rows"],
        volatility=row["volatility"],
        is_variadic=row["is_variadic"],
        isolation=isolation,
        settings=tuple((name, value) for name, value in settings.items() if name in hoisted),
        source=row["source"],
    )


def _by_name(functions: Iterable[Function]) -> dict[Name, tuple[Function, ...]]:
    """Overloads in PostgREST's order, in which they are listed where they cannot be told apart."""
    grouped: dict[Name, tuple[Function, ...]] = {}
    for function in sorted(functions, key=_rank):
        grouped[function.name] = (*grouped.get(function.name, ()), function)
    return grouped


def _rank(function: Function) -> tuple[int, str, tuple[tuple[str, str], ...]]:
    parameters = tuple((one.name, one.type) for one in function.parameters)
    return len(parameters), function.description or "", parameters


def _handler(row: dict[str, Any]) -> tuple[tuple[Name | None, str], Handler]:
    of = Name(row["of_schema"], row["of_name"])
    target = None if of == ANYTHING else of
    handler = Handler(Name(row["schema"], row["name"]), target, row["answered"])
    return (target, row["asked"]), handler


def _by_role(rows: list[dict[str, Any]]) -> dict[str, dict[str, str]]:
    settings: dict[str, dict[str, str]] = {}
    for row in rows:
        settings.setdefault(row["role"], {})[row["name"]] = row["value"]
    return settings
