"""Results and refusals as HTTP: status, headers and what they tell of ranges and preferences."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from nlctl.local.rest import errors, grammar, media, preferences
from nlctl.local.rest.request import OPENAPI, Action, ApiRequest, Count, Resolution, Return, Window

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nlctl.local.rest.errors import ApiError
    from nlctl.local.rest.request import Media
    from nlctl.local.rest.result import Result

Header = tuple[bytes, bytes]
Headers = list[Header]

CONTENT_TYPE = b"content-type"
JSON_TYPE = (CONTENT_TYPE, b"application/json; charset=utf-8")
VARY = (b"vary", b"Accept, Prefer, Range")
_FRAMING = {b"content-length", b"transfer-encoding", b"connection"}
_BODILESS = {204, 304}
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]+")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


class Response(NamedTuple):
    """One answer, its headers as ASGI takes them; `framed` adds the length."""

    status: int
    headers: Headers
    body: bytes = b""


def of(request: ApiRequest, result: Result, query_string: bytes = b"") -> Response:
    """What a request that the database answered is told."""
    if result.media.plan is not None:
        return Response(200, [*_content(request, result), VARY], result.body)
    answer = _BUILDERS[request.action](request, result)
    if request.action is Action.READ:
        answer.headers.append((b"content-location", _location(request, query_string)))
    return _overridden(answer, result)


def of_error(error: ApiError) -> Response:
    """A refusal, told in the body, and in Proxy-Status for those who only see headers."""
    usual = [JSON_TYPE, _header("Proxy-Status", f"PostgREST; error={error.code}")]
    own = _sendable(error.headers)
    return Response(error.status, [*_without(usual, own), *own], error.body)


def of_description(request: ApiRequest, description: bytes) -> Response:
    """The description of the API itself."""
    headers = [_content_type(OPENAPI), *_profile(request), VARY]
    return Response(200, headers, description)


def of_methods(methods: Iterable[str]) -> Response:
    """What may be asked of a path."""
    headers = [(b"access-control-allow-origin", b"*"), _header("Allow", ",".join(methods)), VARY]
    return Response(200, headers)


# One builder for each action.


def _read(request: ApiRequest, result: Result) -> Response:
    status, content_range = _range(request.query.window, result)
    headers = [content_range, *_content(request, result), *_applied(request)]
    return Response(status, headers, _readable(request, result, status))


def _call(request: ApiRequest, result: Result) -> Response:
    status, content_range = _range(request.query.window, result)
    headers = [content_range, *_applied(request)]
    if result.is_void:
        return Response(204, headers)
    headers += _content(request, result)
    return Response(status, headers, _readable(request, result, status))


def _insert(request: ApiRequest, result: Result) -> Response:
    headers = [_content_range(1, 0, _counted(request, result))]
    if result.location:
        pairs = "&".join(
            f"{quote(name)}={quote(value, safe='')}" for name, value in result.location
        )
        headers.append(_header("Location", f"/{quote(request.name or '')}?{pairs}"))
    headers += _applied(request, resolved=result.is_resolved)
    is_merge = request.preferences.resolution is Resolution.MERGE
    status = 200 if is_merge and not result.inserted else 201
    return _represented(request, result, headers, status, bare_status=status)


def _update(request: ApiRequest, result: Result) -> Response:
    content_range = _content_range(0, result.rows - 1, _counted(request, result))
    headers = [content_range, *_applied(request)]
    return _represented(request, result, headers, 200, bare_status=204)


def _delete(request: ApiRequest, result: Result) -> Response:
    headers = [_content_range(1, 0, _counted(request, result)), *_applied(request)]
    return _represented(request, result, headers, 200, bare_status=204)


def _put(request: ApiRequest, result: Result) -> Response:
    status = 201 if result.inserted else 200
    return _represented(request, result, _applied(request), status, bare_status=204)


_BUILDERS = {
    Action.READ: _read,
    Action.CALL: _call,
    Action.CALL_READ_ONLY: _call,
    Action.INSERT: _insert,
    Action.UPDATE: _update,
    Action.DELETE: _delete,
    Action.PUT: _put,
}


def _represented(
    request: ApiRequest, result: Result, headers: Headers, status: int, *, bare_status: int
) -> Response:
    """The rows of a mutation, where they were asked for."""
    if request.preferences.returning is not Return.REPRESENTATION:
        return Response(bare_status, headers)
    return Response(status, [*headers, *_content(request, result)], result.body)


def _readable(request: ApiRequest, result: Result, status: int) -> bytes:
    if status == 416:
        offset, total = request.query.window.offset, result.total or 0
        return errors.offset_out_of_bounds(offset, total).body
    return b"" if request.is_head else result.body


# Headers.


def _content(request: ApiRequest, result: Result) -> Headers:
    return [_content_type(result.media), *_profile(request)]


@lru_cache(maxsize=256)
def _content_type(kind: Media) -> Header:
    return _header("Content-Type", media.content_type(kind))


def _profile(request: ApiRequest) -> Headers:
    return [_header("Content-Profile", request.schema)] if request.names_profile else []


def _applied(request: ApiRequest, *, resolved: bool = True) -> Headers:
    applied = preferences.applied(request, resolved=resolved)
    return [_header("Preference-Applied", applied)] if applied else []


def _location(request: ApiRequest, query_string: bytes) -> bytes:
    asked = grammar.canonical(query_string)
    path = _path(request.name or "")
    return (f"{path}?{asked}" if asked else path).encode()


@lru_cache(maxsize=512)
def _path(name: str) -> str:
    return f"/{quote(name)}"


def _counted(request: ApiRequest, result: Result) -> int | None:
    counts = request.preferences.count in {Count.EXACT, Count.ESTIMATED}
    return result.rows if counts else None


def _range(window: Window, result: Result) -> tuple[int, Header]:
    """206 where there are more rows than these, 416 where there are fewer than were skipped."""
    lower, upper = window.offset, window.offset + result.rows - 1
    content_range = _content_range(lower, upper, result.total)
    if result.total is None or (lower <= result.total <= result.rows):
        return 200, content_range
    return 416 if lower > result.total else 206, content_range


def _content_range(lower: int, upper: int, total: int | None) -> Header:
    shown = b"%d-%d" % (lower, upper) if total != 0 and lower <= upper else b"*"
    return b"content-range", shown + (b"/*" if total is None else b"/%d" % total)


# What SQL has to say about the answer.


def _overridden(answer: Response, result: Result) -> Response:
    """`response.status` and `response.headers` have the last word."""
    if result.status is result.headers is result.warning is None:
        answer.headers.append(VARY)
        return answer
    status = _set_status(result.status) or answer.status
    given = _sendable(_set_headers(result.headers))
    if result.warning is not None:
        given.append(_header("Warning", f'299 nlctl "{result.warning}"'))
    usual = _without([*answer.headers, VARY], given)
    return Response(status, [*usual, *given], answer.body)


def _set_status(text: str | None) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and 200 <= int(text[:4]) <= 599):
        raise errors.status_setting_invalid()
    return int(text)


def _set_headers(text: str | None) -> list[tuple[str, str]]:
    if not text:
        return []
    try:
        objects = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise errors.headers_setting_invalid() from error
    if not isinstance(objects, list) or not all(_is_header(one) for one in objects):
        raise errors.headers_setting_invalid()
    return [header for one in objects for header in one.items()]


def _is_header(value: object) -> bool:
    if not isinstance(value, dict) or len(value) != 1:
        return False
    return all(isinstance(text, str) for text in value.values())


def _without(headers: Headers, given: Headers) -> Headers:
    """Those whose names are not among what was given."""
    names = {name for name, _ in given}
    return [header for header in headers if header[0] not in names]


def _sendable(pairs: Iterable[tuple[str, str]]) -> Headers:
    """Without what would break the framing of the answer, or end a header early."""
    headers = (_header(name, value) for name, value in pairs)
    return [header for header in headers if _is_sendable(header[0])]


@lru_cache(maxsize=256)
def _is_sendable(name: bytes) -> bool:
    return _TOKEN.fullmatch(name) is not None and name not in _FRAMING


def _header(name: str, value: str) -> Header:
    one_line = value if value.isprintable() else _UNPRINTABLE.sub(" ", value)
    return name.encode("utf-8", "replace").lower(), one_line.encode("utf-8", "replace")


def framed(response: Response, *, is_head: bool) -> Response:
    """With its length told, and without a body where HTTP knows none."""
    if response.status in _BODILESS:
        headers = [header for header in response.headers if header[0] != CONTENT_TYPE]
        return Response(response.status, headers)
    if is_head:
        return Response(response.status, response.headers)
    response.headers.append((b"content-length", b"%d" % len(response.body)))
    return response
