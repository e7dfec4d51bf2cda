"""What is asked about: tables, one bucket or one kind of topic at a time, and functions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, LiteralString

from psycopg import sql
from psycopg.rows import dict_row, tuple_row

from nlctl import database

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg

EXPOSED = ("public", "shared", "bo")
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
    """A table, or the part of it that `template` describes ({owner} stands for somebody's id).

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

    @property
    def full_name(self) -> str:
        """With its schema, as foreign keys are told."""
        return f"{self.schema}.{self.table}"

    @property
    def identifier(self) -> sql.Identifier:
        """The same for a statement."""
        return sql.Identifier(self.schema, self.table)

    @property
    def keeps_deleted(self) -> bool:
        """Whether a row that is deleted stays, with a mark."""
        return any(column.name == DELETED_AT for column in self.columns)

    def column(self, name: str) -> Column:
        """One of its columns."""
        return next(column for column in self.columns if column.name == name)


@dataclass(frozen=True)
class Function:
    """One that the Data API shows; `required` are the arguments that have no default."""

    schema: str
    name: str
    arguments: str
    is_overloaded: bool
    required: tuple[tuple[str, LiteralString], ...]
    is_strict: bool
    executors: frozenset[str]

    @property
    def title(self) -> str:
        """How the matrix calls it."""
        schema = "" if self.schema == "public" else f"{self.schema}."
        arguments = f"({self.arguments})" if self.is_overloaded else ""
        return f"{schema}{self.name}{arguments}"


def find(connection: psycopg.Connection) -> list[Subject]:
    """Everything the Data API, Storage and Realtime show."""
    found = {subject.full_name: subject for subject in _tables(connection)}
    objects, messages = found.pop("storage.objects", None), found.pop("realtime.messages", None)
    subjects = list(found.values())
    if objects:
        subjects += [_bucket(objects, name) for name in _names(connection, _BUCKETS)]
    if messages:
        topics = _names(connection, database.load_sql("nlctl.access.sql", "topics"))
        subjects += [
            _topic(messages, topic, extension)
            for topic in (*topics, ELSEWHERE)
            for extension in ("broadcast", "presence")
        ]
    return subjects


def find_functions(connection: psycopg.Connection) -> list[Function]:
    """Every function of the exposed schemas."""
    cursor = connection.cursor(row_factory=dict_row)
    query = database.load_sql("nlctl.access.sql", "functions")
    rows = cursor.execute(query, {"roles": list(database.API_ROLES), "schemas": list(EXPOSED)})
    return [
        Function(
            **{
                **row,
                "required": tuple((name, kind) for name, kind in row["required"]),
                "executors": frozenset(row["executors"]),
            }
        )
        for row in rows
    ]


_BUCKETS = "select id from storage.buckets order by id"


def _tables(connection: psycopg.Connection) -> list[Subject]:
    cursor = connection.cursor(row_factory=dict_row)
    query = database.load_sql("nlctl.access.sql", "tables")
    rows = cursor.execute(query, {"roles": list(database.API_ROLES), "schemas": list(EXPOSED)})
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


def _bucket(objects: Subject, bucket: str) -> Subject:
    template = {"bucket_id": bucket, "name": f"{OWNER}/nlctl", "owner_id": OWNER}
    return replace(
        objects,
        name=f"bucket {bucket}",
        template=template,
        settings={"storage.allow_delete_query": "true"},
    )


def _topic(messages: Subject, topic: str, extension: str) -> Subject:
    prefix = topic.removesuffix("%")  # of a LIKE
    whole = f"{prefix}{OWNER}" if prefix.endswith(":") else prefix
    return replace(
        messages,
        name=f"{extension} {prefix}",
        operations="SI",
        template={"topic": whole, "extension": extension},
        settings={"realtime.topic": "{topic}"},
    )


def _names(connection: psycopg.Connection, query: LiteralString) -> list[str]:
    cursor = connection.cursor(row_factory=tuple_row)
    return [row[0] for row in cursor.execute(query)]
