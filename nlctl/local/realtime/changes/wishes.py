"""Wishes: which rows a channel asks to hear of, and how the service refuses what it cannot read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

EVERY = "*"
ACTIONS = frozenset({"INSERT", "UPDATE", "DELETE"})
OPERATORS = frozenset(
    {"eq", "neq", "lt", "lte", "gt", "gte", "in", "like", "ilike", "is", "match", "imatch"}
    | {"isdistinct"}
)


class Unreadable(Exception):
    """A wish that makes no sense; the text is for the channel."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition on one column; `value` is as PostgreSQL reads it."""

    column: str
    operator: str
    value: str
    is_negated: bool


@dataclass(frozen=True, slots=True)
class Wish:
    """Rows of one table, of all tables of a schema, or of all."""

    action: str
    schema: str
    table: str
    filters: tuple[Filter, ...] = ()
    columns: tuple[str, ...] | None = None

    def wants(self, action: str) -> bool:
        """Whether an INSERT, UPDATE or DELETE is asked for."""
        return self.action in (EVERY, action)

    def covers(self, schema: str, table: str) -> bool:
        """Whether a table is asked for."""
        return self.schema in (EVERY, schema) and self.table in (EVERY, table)

    def describe(self) -> str:
        """The wish in the service's words for its errors."""
        filters = [(f.column, f.operator, f.value, f.is_negated) for f in self.filters]
        columns = None if self.columns is None else list(self.columns)
        return (
            f"event: {self.action}, schema: {self.schema}, table: {self.table}, "
            f"filters: {_inspect(filters)}, select: {_inspect(columns)}"
        )


def read(asked: Mapping[str, Any]) -> Wish:
    """One entry of a join's postgres_changes."""
    columns = _columns(asked.get("select"))
    schema, table, text = _place(asked)
    if columns is not None and EVERY in (schema, table):
        raise Unreadable(
            "Column selection is not supported for wildcard subscriptions. "
            "Provide an explicit schema and table name."
        )
    return Wish(_action(asked.get("event")), schema, table, tuple(_filters(text)), columns)


def _place(asked: Mapping[str, Any]) -> tuple[str, str, str]:
    given = {name: asked[name] for name in ("schema", "table", "filter") if name in asked}
    if all(isinstance(value, str) for value in given.values()):
        match given:
            case {"schema": schema, "table": table, **rest}:
                return schema, table, rest.get("filter", "")
            case {"schema": schema, **rest} if not rest:
                return schema, EVERY, ""
            case {"table": table, **rest} if not rest:
                return "public", table, ""
    hidden = "user_token" in asked or "auth_token" in asked
    raise Unreadable(
        "No subscription params provided. Please provide at least a `schema` or `table` to "
        f"subscribe to: {'<redacted>' if hidden else _inspect(dict(asked))}"
    )


def _action(event: object) -> str:
    action = event.upper() if isinstance(event, str) else EVERY
    return action if action in ACTIONS else EVERY


def _columns(asked: object) -> tuple[str, ...] | None:
    if isinstance(asked, str):
        raise Unreadable(
            "Error parsing `select` params: expected a list of column name strings, "
            'e.g. select: ["col1", "col2"]'
        )
    names = [each for each in asked if isinstance(each, str)] if isinstance(asked, list) else []
    return tuple(sorted(names)) or None


def _filters(text: str) -> Iterator[Filter]:
    if not text.strip():
        return
    try:
        for part in _split(text.strip()):
            yield _filter(part.strip())
    except ValueError as error:
        raise Unreadable(f"Error parsing `filter` params: {error}") from error


def _filter(text: str) -> Filter:
    if not text:
        raise ValueError("filter must not contain empty segments (check for extra commas)")
    column, equals, condition = text.partition("=")
    if not equals:
        raise ValueError(_inspect([text]))
    positive = condition.removeprefix("not.")
    operator, dot, value = positive.partition(".")
    if not dot:
        raise ValueError(_inspect([positive]))
    if operator not in OPERATORS:
        raise ValueError(_inspect([operator, value]))
    return Filter(column, operator, _value(operator, value), positive != condition)


def _value(operator: str, text: str) -> str:
    if operator != "in":
        return _unquoted(text)
    if len(text) < 2 or text[0] != "(" or text[-1] != ")":
        raise ValueError("`in` filter value must be wrapped by parentheses")
    return "{" + text[1:-1] + "}"


def _split(text: str) -> Iterator[str]:
    """The parts between commas that are neither in parentheses nor in quotes."""
    depth, is_quoted, start, before = 0, False, 0, ""
    place = 0
    while place < len(text):
        letter = text[place]
        if is_quoted and letter == "\\":
            place += 1
        elif letter == '"' and (is_quoted or before in (".", "(", ",")):
            is_quoted = not is_quoted
        elif not is_quoted and letter == "(":
            depth += 1
        elif not is_quoted and letter == ")":
            depth = max(0, depth - 1)
        elif not is_quoted and letter == "," and depth == 0:
            yield text[start:place]
            start = place + 1
        before = letter
        place += 1
    yield text[start:]


def _unquoted(text: str) -> str:
    """What is between quotes that enclose all of `text`; without them, `text`."""
    if not text.startswith('"'):
        return text
    letters: list[str] = []
    rest = iter(text[1:])
    for letter in rest:
        if letter == '"':
            return text if next(rest, None) else "".join(letters)
        letters.append(next(rest, "") if letter == "\\" else letter)
    return text


def _inspect(value: object) -> str:
    """A value as the service writes it into its errors."""
    match value:
        case None:
            return "nil"
        case list():
            return f"[{', '.join(map(_inspect, value))}]"
        case tuple():
            return f"{{{', '.join(map(_inspect, value))}}}"
        case dict():
            pairs = (f"{_inspect(key)} => {_inspect(each)}" for key, each in value.items())
            return f"%{{{', '.join(pairs)}}}"
    return json.dumps(value, ensure_ascii=False)
