"""Reading a catalogue: one query for each kind of object, at one moment."""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row

from nlctl import database
from nlctl.catalogue import acl, model, platform
from nlctl.errors import CatalogueUnreadable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from psycopg import Connection

    Row = dict[str, Any]

Kind = TypeVar("Kind")

_PLATFORM = {
    "platform": list(platform.SCHEMAS),
    "services": list(platform.SERVICES),
    "service_roles": list(platform.ROLES),
}
_TABLES: Mapping[str, model.TableKind] = {
    "r": "table",
    "p": "partitioned table",
    "f": "foreign table",
}
_VIEWS: Mapping[str, model.ViewKind] = {"v": "view", "m": "materialized view"}
# How names and constants are printed must not depend on who is signed in.
_SPELLING = """
set local search_path = '';
set local timezone = 'UTC';
set local datestyle = 'ISO, YMD';
set local intervalstyle = 'postgres';
set local bytea_output = 'hex';
set local extra_float_digits = 1;
set local quote_all_identifiers = off;
"""
_OF_VIEWS = ("definition",)
_OF_TABLES = (
    "has_rls", "forces_rls", "is_unlogged", "replica_identity", "partition_key",
    "partition_bound", "parents",
)  # fmt: skip


def read(connection: Connection[Any], schemas: Collection[str] | None = None) -> model.Catalogue:
    """What the database holds in `schemas`; by default in all that are the project's own."""
    try:
        with _one_moment(connection):
            asked = {**_PLATFORM, "schemas": None if schemas is None else list(schemas)}
            names = [row["name"] for row in _Reading(connection, asked).rows("schemas")]
            return _Reading(connection, {**_PLATFORM, "schemas": names}).catalogue()
    except psycopg.Error as error:
        raise CatalogueUnreadable(
            f"The catalogue cannot be read: {database.reason(error)}.",
            hint="Sign in as postgres.",
            code=error.sqlstate,
        ) from error


@contextmanager
def _one_moment(connection: Connection[Any]) -> Iterator[None]:
    """See one state of the database and print every name with its schema; leave no trace."""
    is_first = connection.info.transaction_status == TransactionStatus.IDLE
    with connection.transaction(force_rollback=True):
        if is_first:
            connection.execute("set transaction isolation level repeatable read, read only")
        database.run_script(connection, _SPELLING)
        yield


@dataclass(frozen=True)
class _Reading:
    connection: Connection[Any]
    parameters: Mapping[str, object]

    def catalogue(self) -> model.Catalogue:
        columns = _group(self.rows("columns"), model.Column)
        triggers = self.rows("triggers")
        policies = self.rows("policies")
        tables, views = self.relations(columns, triggers, policies)
        return model.Catalogue(
            server_version=self.connection.info.server_version // 10_000,
            schemas=self.each("schemas", model.Schema),
            tables=tables,
            views=views,
            functions=self.each("functions", model.Function),
            types=self.types(columns),
            sequences=self.each("sequences", model.Sequence),
            default_privileges=self.each("default_privileges", model.DefaultPrivileges),
            publications=self.publications(),
            extensions=self.each("extensions", model.Extension),
            event_triggers=self.each("event_triggers", model.EventTrigger),
            buckets=self.buckets(),
            platform_triggers=self.elsewhere(triggers, model.Trigger),
            platform_policies=self.elsewhere(policies, model.Policy),
        )

    def relations(
        self,
        columns: Mapping[int, tuple[model.Column, ...]],
        triggers: list[Row],
        policies: list[Row],
    ) -> tuple[tuple[model.Table, ...], tuple[model.View, ...]]:
        """Tables and views with all that hangs on them."""
        constraints = _group(self.rows("constraints"), model.Constraint)
        indexes = _group(self.rows("indexes"), model.Index)
        rules = _group(self.rows("rules"), model.Rule)
        triggers_of = _group(triggers, model.Trigger)
        policies_of = _group(policies, model.Policy)
        tables, views = [], []
        for row in self.rows("relations"):
            oid, letter = row.pop("oid"), row.pop("kind")
            row["columns"] = columns.get(oid, ())
            row["indexes"] = indexes.get(oid, ())
            row["triggers"] = triggers_of.get(oid, ())
            row["rules"] = rules.get(oid, ())
            if letter in _VIEWS:
                views.append(model.View(kind=_VIEWS[letter], **_without(row, _OF_TABLES)))
                continue
            row["constraints"] = constraints.get(oid, ())
            row["policies"] = policies_of.get(oid, ())
            tables.append(model.Table(kind=_TABLES[letter], **_without(row, _OF_VIEWS)))
        return tuple(tables), tuple(views)

    def types(self, columns: Mapping[int, tuple[model.Column, ...]]) -> tuple[model.Type, ...]:
        return tuple(
            model.Type(columns=columns.get(row["relation"], ()), **_without(row, ("relation",)))
            for row in self.rows("types")
        )

    def publications(self) -> tuple[model.Publication, ...]:
        tables: dict[str, list[model.PublishedTable]] = defaultdict(list)
        for row in self.rows("published_tables"):
            name = row.pop("publication")
            tables[name].append(model.PublishedTable(**row))
        return tuple(
            model.Publication(tables=tuple(tables[row["name"]]), **row)
            for row in self.rows("publications")
        )

    def buckets(self) -> tuple[model.Bucket, ...]:
        found = self.connection.execute("select to_regclass('storage.buckets')").fetchone()
        return self.each("buckets", model.Bucket) if found and found[0] else ()

    def elsewhere(self, rows: Iterable[Row], kind: type[Kind]) -> tuple[Kind, ...]:
        """Those that hang on tables outside of the schemas we read."""
        schemas = self.parameters["schemas"]
        assert isinstance(schemas, list)  # noqa: S101 - `read` made it
        return tuple(
            kind(**_without(row, ("relation",))) for row in rows if row["schema"] not in schemas
        )

    def each(self, name: str, kind: type[Kind]) -> tuple[Kind, ...]:
        return tuple(kind(**row) for row in self.rows(name))

    def rows(self, name: str) -> list[Row]:
        cursor = self.connection.cursor(row_factory=dict_row)
        query = database.load_sql("nlctl.catalogue.sql", name)
        return [_frozen(row) for row in cursor.execute(query, self.parameters)]


def _frozen(row: Row) -> Row:
    """Lists become tuples, and access lists grants."""
    frozen = {name: tuple(v) if isinstance(v, list) else v for name, v in row.items()}
    if "grants" in frozen:
        frozen["grants"] = acl.parse(frozen["grants"])
    return frozen


def _group(rows: Iterable[Row], kind: type[Kind]) -> dict[int, tuple[Kind, ...]]:
    """Objects by the oid of the relation they belong to."""
    groups: dict[int, list[Kind]] = defaultdict(list)
    for row in rows:
        groups[row["relation"]].append(kind(**_without(row, ("relation",))))
    return {relation: tuple(group) for relation, group in groups.items()}


def _without(row: Mapping[str, Any], names: Collection[str]) -> Row:
    return {name: value for name, value in row.items() if name not in names}
