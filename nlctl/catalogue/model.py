"""What a catalogue holds: one frozen dataclass for each kind of object.

Types, defaults, conditions and definitions are texts as PostgreSQL prints them, every name with its
schema. Tuples are in the catalogue's order where it has one, else by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from nlctl.catalogue.acl import Grant

TableKind = Literal["table", "partitioned table", "foreign table"]
ViewKind = Literal["view", "materialized view"]


@dataclass(frozen=True)
class Schema:
    """A schema of the project."""

    name: str
    owner: str
    grants: tuple[Grant, ...]
    comment: str | None


@dataclass(frozen=True)
class Column:
    """A column of a table, a view or a composite type.

    `type` is what people write; `type_schema` and `type_name` are the catalogue's (`_text` for
    `text[]`). `grants` are those of the column alone, beside its table's.
    """

    name: str
    position: int
    type: str
    type_schema: str
    type_name: str
    is_not_null: bool
    default: str | None
    generated: str | None
    generated_kind: Literal["", "s", "v"]
    identity: Literal["always", "by default"] | None
    collation: str | None
    is_inherited: bool
    grants: tuple[Grant, ...]
    comment: str | None


@dataclass(frozen=True)
class Constraint:
    """A constraint of a table. `kind` is the catalogue's: c, f, p, u or x."""

    name: str
    kind: Literal["c", "f", "p", "u", "x"]
    definition: str
    is_valid: bool
    columns: tuple[str, ...]
    references: str | None
    referenced_columns: tuple[str, ...]
    comment: str | None


@dataclass(frozen=True)
class Index:
    """An index. `columns` are its keys: names, or expressions."""

    name: str
    definition: str
    is_unique: bool
    is_primary: bool
    is_valid: bool
    is_of_constraint: bool
    columns: tuple[str, ...]
    predicate: str | None
    comment: str | None


@dataclass(frozen=True)
class Trigger:
    """A trigger that somebody made."""

    schema: str
    table: str
    name: str
    definition: str
    function: str
    enabled: Literal["origin", "disabled", "replica", "always"]
    comment: str | None


@dataclass(frozen=True)
class Policy:
    """A policy of row level security."""

    schema: str
    table: str
    name: str
    command: Literal["select", "insert", "update", "delete", "all"]
    is_permissive: bool
    roles: tuple[str, ...]
    using: str | None
    check: str | None
    comment: str | None


@dataclass(frozen=True)
class Rule:
    """A rewrite rule."""

    name: str
    definition: str


@dataclass(frozen=True)
class Relation:
    """What tables and views share."""

    schema: str
    name: str
    kind: TableKind | ViewKind
    owner: str
    grants: tuple[Grant, ...]
    options: tuple[str, ...]
    comment: str | None
    columns: tuple[Column, ...]
    indexes: tuple[Index, ...]
    triggers: tuple[Trigger, ...]
    rules: tuple[Rule, ...]

    @property
    def full_name(self) -> str:
        """Name with schema."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Table(Relation):
    """A table with all that hangs on it."""

    has_rls: bool
    forces_rls: bool
    is_unlogged: bool
    replica_identity: str
    partition_key: str | None
    partition_bound: str | None
    parents: tuple[str, ...]
    constraints: tuple[Constraint, ...]
    policies: tuple[Policy, ...]


@dataclass(frozen=True)
class View(Relation):
    """A view, materialized or not."""

    definition: str

    @property
    def is_security_invoker(self) -> bool:
        """Whether it reads with the rights of whoever asks."""
        return bool({"security_invoker=true", "security_invoker=on"} & set(self.options))


@dataclass(frozen=True)
class Function:
    """A function or procedure.

    `identity` is its name with the types that tell it from others, as in `app.refuse(text)`;
    `signature` has the names of the arguments too, `arguments` also their defaults. `kind` is the
    catalogue's: f function, p procedure, a aggregate, w window function.
    `definition` is the whole statement that makes it; an aggregate has none.
    """

    schema: str
    name: str
    kind: Literal["f", "p", "a", "w"]
    identity: str
    signature: str
    arguments: str
    returns: str | None
    returns_set: bool
    language: str
    volatility: Literal["immutable", "stable", "volatile"]
    parallel: Literal["safe", "restricted", "unsafe"]
    is_security_definer: bool
    is_strict: bool
    is_leakproof: bool
    cost: float
    rows: float
    settings: tuple[str, ...]
    body: str
    definition: str | None
    owner: str
    grants: tuple[Grant, ...]
    comment: str | None

    @property
    def full_name(self) -> str:
        """Name with schema and signature."""
        return f"{self.schema}.{self.name}({self.signature})"


@dataclass(frozen=True)
class Type:
    """An enum (`labels`), a domain or range (`base`), or a composite (`columns`)."""

    schema: str
    name: str
    kind: Literal["enum", "domain", "range", "composite"]
    labels: tuple[str, ...]
    base: str | None
    default: str | None
    is_not_null: bool
    constraints: tuple[str, ...]
    columns: tuple[Column, ...]
    owner: str
    grants: tuple[Grant, ...]
    comment: str | None

    @property
    def full_name(self) -> str:
        """Name with schema."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Sequence:
    """A sequence; `owned_by` is the column it numbers, by itself when `is_identity`."""

    schema: str
    name: str
    type: str
    start: int
    minimum: int
    maximum: int
    increment: int
    cache: int
    cycles: bool
    owned_by: str | None
    is_identity: bool
    owner: str
    grants: tuple[Grant, ...]
    comment: str | None

    @property
    def full_name(self) -> str:
        """Name with schema."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class DefaultPrivileges:
    """What others may do with whatever `role` makes: everywhere, or beyond that in one schema."""

    role: str
    schema: str | None
    kind: Literal["tables", "sequences", "functions", "types", "schemas"]
    grants: tuple[Grant, ...]


@dataclass(frozen=True)
class PublishedTable:
    """A table of a publication; without a list, all its columns."""

    schema: str
    table: str
    columns: tuple[str, ...] | None
    where: str | None


@dataclass(frozen=True)
class Publication:
    """What is told to whoever follows the log."""

    name: str
    owner: str
    is_for_all_tables: bool
    operations: tuple[str, ...]
    is_via_root: bool
    schemas: tuple[str, ...]
    tables: tuple[PublishedTable, ...]


@dataclass(frozen=True)
class Extension:
    """An installed extension, whoever brought it."""

    name: str
    schema: str
    version: str


@dataclass(frozen=True)
class EventTrigger:
    """An event trigger that is not the platform's."""

    name: str
    event: str
    tags: tuple[str, ...]
    function: str
    enabled: Literal["origin", "disabled", "replica", "always"]
    owner: str
    comment: str | None


@dataclass(frozen=True)
class Bucket:
    """A bucket of Storage; without a limit of its own, that of the project applies."""

    id: str
    name: str
    is_public: bool
    file_size_limit: int | None
    allowed_mime_types: tuple[str, ...]


@dataclass(frozen=True)
class Catalogue:
    """Everything of the project that a database holds, rows left aside.

    `platform_triggers` and `platform_policies` are ours on tables of auth, storage and realtime.
    """

    server_version: int
    schemas: tuple[Schema, ...]
    tables: tuple[Table, ...]
    views: tuple[View, ...]
    functions: tuple[Function, ...]
    types: tuple[Type, ...]
    sequences: tuple[Sequence, ...]
    default_privileges: tuple[DefaultPrivileges, ...]
    publications: tuple[Publication, ...]
    extensions: tuple[Extension, ...]
    event_triggers: tuple[EventTrigger, ...]
    buckets: tuple[Bucket, ...]
    platform_triggers: tuple[Trigger, ...]
    platform_policies: tuple[Policy, ...]
