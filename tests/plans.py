"""Plans: how PostgreSQL answers a person's query, or what an RPC asks inside, on real volumes.

    plan = plans.of(ada, "select * from public.profiles where id = %s", [ada.id])
    assert plan.uses_index("profiles_pkey"), plan.tree

Everything is run for good and then rolled back, by a superuser become that person: the plans are
those that auto_explain saw, the calls those that the statistics counted.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from nlctl.database import act_as
from nlctl.local.cluster import SUPERUSER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from psycopg.errors import Diagnostic

    from tests.callers import Person

# At level info the client hears of every plan, and the server's log of none.
WATCH = """
load 'auto_explain';
set auto_explain.log_min_duration = 0;
set auto_explain.log_nested_statements = on;
set auto_explain.log_analyze = on;
set auto_explain.log_timing = off;
set auto_explain.log_verbose = on;
set auto_explain.log_format = json;
set auto_explain.log_level = info;
set track_functions = 'all';
"""
CALLS = (
    "select schemaname || '.' || funcname, sum(calls) from pg_stat_xact_user_functions group by 1"
)
SHOWN = ("Index Cond", "Recheck Cond", "Hash Cond", "Join Filter", "One-Time Filter", "Filter")
Node = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """How one statement was run."""

    query: str
    root: Node
    calls: Mapping[str, int]

    @property
    def tree(self) -> str:
        """The query, the tree that `explain analyze` shows, and the functions that ran."""
        called = ", ".join(f"{name} {times}" for name, times in sorted(self.calls.items()))
        return "\n".join((self.query, *_lines(self.root), f"Calls: {called or 'none'}"))

    def uses_index(self, name: str) -> bool:
        """Whether anything is looked up in this index."""
        return any(node.get("Index Name") == name for node in _walk(self.root))

    def stays_in_index(self, name: str) -> bool:
        """Whether this index answers alone, without a look at the rows."""
        return any(
            node.get("Index Name") == name and node["Node Type"] == "Index Only Scan"
            for node in _walk(self.root)
        )

    def reads(self, table: str) -> bool:
        """Whether it looks at this table at all."""
        return any(node.get("Relation Name") == table for node in _walk(self.root))

    def scans_whole(self, table: str) -> bool:
        """Whether it reads the table from end to end."""
        return any(
            node.get("Relation Name") == table and node["Node Type"] == "Seq Scan"
            for node in _walk(self.root)
            if node["Actual Loops"]
        )

    def sorts(self) -> bool:
        """Whether it sorts what an index could have given in order."""
        return any("Sort" in node["Node Type"] for node in _walk(self.root))

    @property
    def rows_visited(self) -> int:
        """How many rows of tables it looked at, those that a filter threw away included."""
        return sum(_visited(node) for node in _walk(self.root) if "Relation Name" in node)

    def times_called(self, function: str) -> int:
        """How often a function such as `app.current_user_id` ran, everything called included."""
        return self.calls.get(function, 0)


def of(person: Person, query: str, parameters: Sequence[object] = ()) -> Plan:
    """How the person's query is run, under the policies of his role."""
    with _watched(person) as (connection, heard):
        connection.execute(query.encode(), parameters)
        # Inner statements end before the one that asks for them.
        return _plans(connection, heard)[-1]


def within(person: Person, query: str) -> list[Plan]:
    """How each statement is run that the functions called by the person's query ask."""
    with _watched(person) as (connection, heard):
        connection.execute(query.encode())
        return _plans(connection, heard)[:-1]


def inside(person: Person, function: str, **arguments: object) -> list[Plan]:
    """How each statement is run inside a function of schema public, called by the person."""
    given = sql.SQL(", ").join(
        sql.SQL("{} => {}").format(sql.Identifier(name), sql.Placeholder(name))
        for name in arguments
    )
    with _watched(person) as (connection, heard):
        connection.execute(
            sql.SQL("select * from {}({})").format(sql.Identifier("public", function), given),
            arguments,
        )
        return _plans(connection, heard)[:-1]


@contextmanager
def _watched(person: Person) -> Iterator[tuple[psycopg.Connection, list[str]]]:
    heard: list[str] = []

    def hear(notice: Diagnostic) -> None:
        heard.append(notice.message_primary or "")

    with person.database.connect(SUPERUSER) as connection:
        # A statement with parameters of its own would only end when the next one begins.
        connection.cursor_factory = psycopg.ClientCursor
        connection.execute(WATCH)
        connection.add_notice_handler(hear)
        with connection.transaction(force_rollback=True):
            act_as(connection, person.caller)
            heard.clear()
            yield connection, heard


def _plans(connection: psycopg.Connection, heard: list[str]) -> list[Plan]:
    documents = [json.loads(said.partition("plan:")[2]) for said in heard if "plan:" in said]
    connection.execute("reset role")
    calls = {name: int(times) for name, times in connection.execute(CALLS.encode()).fetchall()}
    return [Plan(each["Query Text"], each["Plan"], calls) for each in documents]


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.get("Plans", ()):
        yield from _walk(child)


def _visited(node: Node) -> int:
    removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    visited: float = (node["Actual Rows"] + removed) * node["Actual Loops"]
    return round(visited)


def _lines(node: Node, depth: int = 0) -> Iterator[str]:
    """The node as `explain` would show it, then those below."""
    indent = "  " * depth
    under = f"{node['Subplan Name']}: " if "Subplan Name" in node else ""
    index = f" using {node['Index Name']}" if "Index Name" in node else ""
    table = f" on {node['Relation Name']}" if "Relation Name" in node else ""
    loops, rows = node.get("Actual Loops", 0), node.get("Actual Rows", 0)
    ran = f"rows {rows:g}, loops {loops:g}" if loops else "never executed"
    yield f"{indent}{under}{node['Node Type']}{index}{table} ({ran})"
    if under:
        yield f"{indent}    Output: {', '.join(node.get('Output', ()))}"
    for key in SHOWN:
        if key in node:
            yield f"{indent}    {key}: {node[key]}"
    if node.get("Rows Removed by Filter"):
        yield f"{indent}    Rows Removed by Filter: {node['Rows Removed by Filter']:g}"
    for child in node.get("Plans", ()):
        yield from _lines(child, depth + 1)
