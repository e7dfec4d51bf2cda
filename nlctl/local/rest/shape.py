"""Shape: a request without its values. Requests of one shape share a plan and a statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nlctl.local.rest import names
from nlctl.local.rest.errors import text_with_null_byte
from nlctl.local.rest.request import (
    Compare,
    FormBody,
    In,
    Is,
    JsonBody,
    Logic,
    Operator,
    RawBody,
)

if TYPE_CHECKING:
    from collections.abc import Hashable

    from nlctl.local.rest.request import (
        ApiRequest,
        Body,
        Condition,
        Filter,
        Match,
        Path,
        Query,
        Window,
    )

Values = list[bytes | None]

PATTERNS = {Operator.LIKE, Operator.ILIKE}


class Shape(NamedTuple):
    """What makes two requests alike, and the values in which they may differ.

    Values come in the order of the conditions, then the offset of each window, then the body,
    then the arguments: the order in which `Slots` counts them. Limits are part of the shape: pages
    have the same length again and again, and who knows it plans better and less often.
    """

    key: Hashable
    values: Values


class Slots:
    """Where in the values of a shape each part of the request is found."""

    def __init__(self, request: ApiRequest) -> None:
        self.conditions: list[range] = []
        """Of each condition, the slots of the values in it."""
        first = 0
        for _, condition in request.query.conditions:
            end = first + _leaves(condition)
            self.conditions.append(range(first, end))
            first = end
        windows = request.query.windows
        self.offsets: dict[Path, int] = {path: first + place for place, path in enumerate(windows)}
        """Of each window, the slot of its offset."""
        self.body = first + len(windows)
        self.arguments = self.body + 1


def of(request: ApiRequest, max_rows: int | None) -> Shape:
    """The shape of a request; no window shows more than `max_rows`."""
    query = request.query
    preferences = request.preferences
    values: list[str | bytes | None] = []
    key = (
        request.action,
        request.schema,
        request.name,
        request.is_head,
        query.select,
        _conditions(query, values),
        query.orders,
        _windows(query, max_rows, values),
        query.columns,
        query.on_conflict,
        _body(request.body, values),
        _arguments(request, values),
        preferences.returning,
        preferences.resolution,
        preferences.count,
        preferences.missing,
        request.accept,
    )
    return Shape(key, [_encoded(value) for value in values])


def arguments(request: ApiRequest) -> tuple[tuple[str, str], ...]:
    """Arguments that come one by one: in the query string or in a form."""
    return request.body.fields if isinstance(request.body, FormBody) else request.query.arguments


def _leaves(condition: Condition) -> int:
    return sum(map(_leaves, condition.terms)) if isinstance(condition, Logic) else 1


def _conditions(query: Query, values: list[str | bytes | None]) -> Hashable:
    return tuple([(path, _condition(one, values)) for path, one in query.conditions])


def _windows(query: Query, max_rows: int | None, values: list[str | bytes | None]) -> Hashable:
    if not query.windows:
        return ()
    return tuple([(path, _window(one, max_rows, values)) for path, one in query.windows.items()])


def _condition(condition: Condition, values: list[str | bytes | None]) -> Hashable:
    if isinstance(condition, Logic):
        terms = tuple(_condition(term, values) for term in condition.terms)
        return condition.connective, condition.negated, terms
    return condition.field, condition.negated, _operation(condition, values)


def _operation(condition: Filter, values: list[str | bytes | None]) -> Hashable:
    operation = condition.operation
    if isinstance(operation, Compare):
        is_pattern = operation.operator in PATTERNS
        values.append(operation.value.replace("*", "%") if is_pattern else operation.value)
        return operation.operator, operation.quantifier
    if isinstance(operation, In):
        values.append("{}" if operation.values == ("",) else names.array(operation.values))
        return "in"
    if isinstance(operation, Is):
        values.append(None)
        return operation.value
    return _match(operation, values)


def _match(operation: Match, values: list[str | bytes | None]) -> Hashable:
    values.append(operation.value)
    return operation.search, operation.language


def _window(
    window: Window, max_rows: int | None, values: list[str | bytes | None]
) -> tuple[int | None, bool]:
    values.append(str(window.offset))
    return limit(window, max_rows), window.offset > 0


def limit(window: Window, max_rows: int | None) -> int | None:
    """How many rows a window shows at most."""
    limits = [one for one in (window.limit, max_rows) if one is not None]
    return min(limits, default=None)


def _body(body: Body | None, values: list[str | bytes | None]) -> Hashable:
    if isinstance(body, JsonBody):
        values.append(body.text)
        return body.keys, is_object(body)
    if isinstance(body, RawBody):
        values.append(b"\\x" + body.content.hex().encode() if _is_binary(body) else body.content)
        return body.media
    values.append("{}")  # what a single unnamed parameter gets where nothing was said
    return None


def is_object(body: JsonBody) -> bool:
    """Whether it holds one row, not a list; PostgreSQL finds out whether it is JSON at all."""
    return body.is_object or body.text.lstrip(" \t\r\n")[:1] == "{"


def _is_binary(body: RawBody) -> bool:
    return body.media.mime == "application/octet-stream"


def _arguments(request: ApiRequest, values: list[str | bytes | None]) -> Hashable:
    given = arguments(request)
    if not given:
        return ()
    values.extend(value for _, value in given)
    return tuple([name for name, _ in given])


def _encoded(value: str | bytes | None) -> bytes | None:
    if value is None:
        return None
    encoded = value.encode() if isinstance(value, str) else value
    if b"\0" in encoded:
        raise text_with_null_byte()
    return encoded


def has_window(query: Query) -> bool:
    """Whether the root shows less than everything."""
    return query.window.limit is not None or query.window.offset > 0
