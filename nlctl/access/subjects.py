"""What is asked about: tables, one bucket or one kind of topic at a time, and functions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, LiteralString

from psycopg.rows import dict_row, tuple_row

from nlctl import database
from nlctl.access import quoting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import psycopg
    from psycopg import sql

ACCOUNTS = "auth.users"
ELSEWHERE = "elsewhere"
DELETED_AT = "deleted_at"
OWNER = "{owner}"


@dataclass(frozen=True)
class Column:
    """What decides how a value for it is found, and which API roles may give one."""

    name: str
    type: LiteralString
    is_required: bool
    has_default: bool
    is_computed: bool
    is_unique: bool
    refers_to: tuple[str, str] | None
    words: tuple[str, ...]
    insert: frozenset[str]
    update: frozenset[str]


@dataclass(frozen=True)
class Subject:
    """A table, or the part of it that `template` describes.

    {owner} stands there for somebody's id, or for that of a row of `root`, if it has one.
    `settings` are what the platform's services set beside the claims; they name the row's columns.
    """

    name: str
    schema: str
    table: str
    is_table: bool
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    grants: frozenset[str]
    operations: str = "SIUD"
    template: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    root: str = ""

    @property
    def full_name(self) -> str:
        """With its schema, as foreign keys are told."""
        return f"{self.schema}.{self.table}"

    @property
    def is_folder(self) -> bool:
        """Whether its rows are objects that lie in a folder called after a row of `root`."""
        return bool(self.root) and "bucket_id" in self.template

    @property
    def identifier(self) -> sql.Composable:
        """The same for a statement."""
        return quoting.identifier(self.schema, self.table)

    @property
    def keeps_deleted(self) -> bool:
        """Whether a row that is deleted stays, with a mark."""
        return any(column.name == DELETED_AT for column in self.columns)

    @property
    def is_a_person(self) -> bool:
        """Whether each of its rows stands for an account."""
        if len(self.key) != 1:
            return False
        refers_to = self.column(self.key[0]).refers_to
        return refers_to is not None and refers_to[0] == ACCOUNTS

    def column(self, name: str) -> Column:
        """One of its columns."""
        return next(column for column in self.columns if column.name == name)


@dataclass(frozen=True)
class Function:
    """One that the Data API shows; `required` are the arguments that have no default.

    `objects` has the tables that arguments name a row of.
    """

    schema: str
    name: str
    arguments: str
    is_overloaded: bool
    required: tuple[tuple[str, LiteralString], ...]
    is_strict: bool
    executors: frozenset[str]
    first: str | None
    returns: str | None
    objects: Mapping[str, Subject] = field(default_factory=dict)

    @property
    def about(self) -> Subject | None:
        """The table that its first argument names a row of."""
        return self.objects.get(self.first or "")

    @property
    def title(self) -> str:
        """How the matrix calls it."""
        schema = "" if self.schema == "public" else f"{self.schema}."
        arguments = f"({self.arguments})" if self.is_overloaded else ""
        return f"{schema}{self.name}{arguments}"


def find(connection: psycopg.Connection, schemas: Iterable[str]) -> list[Subject]:
    """Everything that Storage and Realtime show, and of `schemas` the Data API."""
    found = {subject.full_name: subject for subject in _tables(connection, schemas)}
    objects, messages = found.pop("storage.objects", None), found.pop("realtime.messages", None)
    tables = list(found.values())
    buckets = _buckets(connection, objects, tables) if objects else []
    topics = _topics(connection, messages, tables) if messages else []
    return [*tables, *buckets, *topics]


def find_functions(
    connection: psycopg.Connection, schemas: Iterable[str], every: Sequence[Subject]
) -> list[Function]:
    """Every function of `schemas`; `every` has the tables its arguments lead to."""
    cursor = connection.cursor(row_factory=dict_row)
    query = database.load_sql("nlctl.access.sql", "functions")
    rows = cursor.execute(query, {"roles": list(database.API_ROLES), "schemas": list(schemas)})
    tables = [subject for subject in every if subject.is_table and not subject.template]
    return [_function(row, tables) for row in rows]


def _function(row: Mapping[str, Any], tables: Sequence[Subject]) -> Function:
    required = tuple((name, kind) for name, kind in row["required"])
    function = Function(**{**row, "required": required, "executors": frozenset(row["executors"])})
    names = [function.first, *(name for name, kind in required if kind == "uuid")]
    found = {name: _named(name.removeprefix("p_"), tables) for name in names if name}
    if function.first and found[function.first] is None:
        found[function.first] = next((t for t in tables if t.full_name == function.returns), None)
    return replace(function, objects={name: table for name, table in found.items() if table})


def _named(name: str, tables: Sequence[Subject]) -> Subject | None:
    """The table that a column or an argument of this name points at."""
    by_name = {table.full_name: table for table in tables}
    people = next((table.full_name for table in tables if table.is_a_person), ACCOUNTS)
    targets = (
        people if column.refers_to[0] == ACCOUNTS else column.refers_to[0]
        for table in tables
        for column in table.columns
        if column.name == name and column.refers_to
    )
    return by_name.get(next(targets, f"public.{name.removesuffix('_id')}s"))


def _tables(connection: psycopg.Connection, schemas: Iterable[str]) -> list[Subject]:
    cursor = connection.cursor(row_factory=dict_row)
    query = database.load_sql("nlctl.access.sql", "tables")
    rows = cursor.execute(query, {"roles": list(database.API_ROLES), "schemas": list(schemas)})
    return [_subject(row) for row in rows]


def _subject(row: Mapping[str, Any]) -> Subject:
    return Subject(
        name=f"{row['schema']}.{row['name']}",
        schema=row["schema"],
        table=row["name"],
        is_table=row["is_table"],
        key=tuple(row["key"]),
        columns=tuple(map(_column, row["columns"])),
        grants=frozenset(row["grants"]),
    )


def _column(told: Mapping[str, Any]) -> Column:
    refers_to = told["refers_to"]
    return Column(
        **{
            **told,
            "refers_to": tuple(refers_to) if refers_to else None,
            "words": tuple(told["words"] or ()),
            "insert": frozenset(told["insert"] or ()),
            "update": frozenset(told["update"] or ()),
        }
    )


def _buckets(
    connection: psycopg.Connection, objects: Subject, tables: Sequence[Subject]
) -> list[Subject]:
    query = database.load_sql("nlctl.access.sql", "buckets")
    return [
        replace(
            objects,
            name=f"bucket {bucket}",
            template={"bucket_id": bucket, "name": f"{OWNER}/nlctl", "owner_id": OWNER},
            settings={"storage.allow_delete_query": "true"},
            root=_root(leads_to, tables),
        )
        for bucket, leads_to in connection.cursor(row_factory=tuple_row).execute(query)
    ]


def _topics(
    connection: psycopg.Connection, messages: Subject, tables: Sequence[Subject]
) -> list[Subject]:
    query = database.load_sql("nlctl.access.sql", "topics")
    topics = [*connection.cursor(row_factory=tuple_row).execute(query), (ELSEWHERE, None)]
    return [
        replace(
            messages,
            name=f"{extension} {topic}",
            operations="SI",
            template={
                "topic": f"{topic}{OWNER}" if topic.endswith(":") else topic,
                "extension": extension,
            },
            settings={"realtime.topic": "{topic}"},
            root=_root(leads_to, tables),
        )
        for topic, leads_to in topics
        for extension in ("broadcast", "presence")
    ]


def _root(name: str | None, tables: Sequence[Subject]) -> str:
    """The table whose row a topic or folder is called after; none where that is a person."""
    table = _named(name, tables) if name else None
    return table.full_name if table and not table.is_a_person else ""
