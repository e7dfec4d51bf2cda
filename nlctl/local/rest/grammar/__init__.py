"""The query string, taken apart: what PostgREST understands by each parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nlctl.local.rest.grammar import conditions, fields, ordering, selection, windows
from nlctl.local.rest.grammar.query_string import canonical, read_pairs
from nlctl.local.rest.grammar.windows import met
from nlctl.local.rest.request import EVERYTHING, Query

if TYPE_CHECKING:
    from nlctl.local.rest.grammar.query_string import Pairs
    from nlctl.local.rest.request import Condition, OrderTerm, Path, Window

__all__ = ["canonical", "met", "parse"]

NOTHING = Query()

_SHAPING = {"select", "columns", "on_conflict"}


def parse(query_string: bytes, *, is_call: bool = False) -> Query:
    """What the query string asks for. In a call by GET, what is no condition is an argument."""
    if not query_string:
        return NOTHING
    found: list[tuple[Path, Condition]] = []
    arguments: Pairs = []
    orders: dict[Path, tuple[OrderTerm, ...]] = {}
    limits: dict[Path, str] = {}
    offsets: dict[Path, str] = {}
    shaping: dict[str, str] = {}
    for key, value in read_pairs(query_string):
        last = key.rpartition(".")[2]
        if key in _SHAPING:
            shaping.setdefault(key, value)
        elif last == "order":
            orders.setdefault(fields.path(key), ordering.read(value))
        elif last == "limit":
            limits[fields.path(key)] = value
        elif last == "offset":
            offsets[fields.path(key)] = value
        elif last in {"and", "or"}:
            found.append(conditions.read_logic(key, value))
        else:
            path, field = fields.tree_path(key)
            if is_call and not conditions.is_filter(value):
                arguments.append((field.name, value))
            else:
                found.append((path, conditions.read_filter(field, value)))
    columns, on_conflict = shaping.get("columns"), shaping.get("on_conflict")
    return Query(
        select=selection.read(shaping["select"]) if "select" in shaping else EVERYTHING,
        conditions=tuple(found),
        orders=tuple(orders.items()),
        windows=_windows(limits, offsets) if limits or offsets else NOTHING.windows,
        columns=None if columns is None else fields.names("columns", columns),
        on_conflict=None if on_conflict is None else fields.names("on_conflict", on_conflict),
        arguments=tuple(arguments),
    )


def _windows(limits: dict[Path, str], offsets: dict[Path, str]) -> dict[Path, Window]:
    paths = {**limits, **offsets}
    return {path: windows.read(limits.get(path), offsets.get(path)) for path in paths}
