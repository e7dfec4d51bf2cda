"""Refusals of the Data API: PostgREST's register of codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

Headers = tuple[tuple[str, str], ...]

STATUS = {
    "PGRST000": 503,
    "PGRST001": 503,
    "PGRST002": 503,
    "PGRST003": 504,
    "PGRST100": 400,
    "PGRST101": 405,
    "PGRST102": 400,
    "PGRST103": 416,
    "PGRST105": 405,
    "PGRST106": 406,
    "PGRST107": 406,
    "PGRST108": 400,
    "PGRST111": 500,
    "PGRST112": 500,
    "PGRST114": 400,
    "PGRST115": 400,
    "PGRST116": 406,
    "PGRST117": 405,
    "PGRST118": 400,
    "PGRST120": 400,
    "PGRST121": 500,
    "PGRST122": 400,
    "PGRST123": 400,
    "PGRST124": 400,
    "PGRST125": 404,
    "PGRST126": 404,
    "PGRST127": 400,
    "PGRST128": 400,
    "PGRST200": 400,
    "PGRST201": 300,
    "PGRST202": 404,
    "PGRST203": 300,
    "PGRST204": 400,
    "PGRST205": 404,
    "PGRST300": 500,
    "PGRST301": 401,
    "PGRST302": 401,
    "PGRST303": 401,
}


class ApiError(Exception):
    """One refusal as clients see it: always code, message, details and hint."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        details: Any = None,
        hint: str | None = None,
        status: int | None = None,
        headers: Headers = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details
        self.hint = hint
        self.status = status or STATUS[code]
        self.headers = headers

    @property
    def body(self) -> bytes:
        """PostgREST sorts the keys and leaves no blanks; some clients compare lengths."""
        answer = {
            "code": self.code,
            "details": self.details,
            "hint": self.hint,
            "message": self.message,
        }
        text = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")


# What a request can be refused for before the database is asked.


def syntax(message: str, details: str) -> ApiError:
    return ApiError("PGRST100", message, details=details)


def method_not_for_functions(method: str) -> ApiError:
    return ApiError("PGRST101", f"Cannot use the {method} method on RPC")


def invalid_body(message: str) -> ApiError:
    return ApiError("PGRST102", message)


def range_not_satisfiable(details: str) -> ApiError:
    return ApiError("PGRST103", "Requested range not satisfiable", details=details)


def offset_out_of_bounds(offset: int, total: int) -> ApiError:
    return range_not_satisfiable(
        f"An offset of {offset} was requested, but there are only {total} rows."
    )


def put_without_whole_key() -> ApiError:
    message = "Filters must include all and only primary key columns with 'eq' operators"
    return ApiError("PGRST105", message)


def schema_not_exposed(schema: str, exposed: Iterable[str]) -> ApiError:
    hint = f"Only the following schemas are exposed: {', '.join(exposed)}"
    return ApiError("PGRST106", f"Invalid schema: {schema}", hint=hint)


def media_not_available(mimes: Iterable[str]) -> ApiError:
    message = f"None of these media types are available: {', '.join(mimes)}"
    return ApiError("PGRST107", message)


def put_with_window() -> ApiError:
    message = "limit/offset querystring parameters are not allowed for PUT"
    return ApiError("PGRST114", message)


def put_key_differs() -> ApiError:
    message = "Payload values do not match URL in primary key column(s)"
    return ApiError("PGRST115", message)


def not_singular(rows: int) -> ApiError:
    return ApiError(
        "PGRST116",
        "Cannot coerce the result to a single JSON object",
        details=f"The result contains {rows} rows",
    )


def method_not_supported(method: str) -> ApiError:
    return ApiError("PGRST117", f"Unsupported HTTP method: {method}")


def preferences_unknown(unknown: Iterable[str]) -> ApiError:
    return ApiError(
        "PGRST122",
        "Invalid preferences given with handling=strict",
        details=f"Invalid preferences: {', '.join(unknown)}",
    )


def too_many_affected(rows: int) -> ApiError:
    return ApiError(
        "PGRST124",
        "Query result exceeds max-affected preference constraint",
        details=f"The query affects {rows} rows",
    )


def path_invalid() -> ApiError:
    return ApiError("PGRST125", "Invalid path specified in request URL")


def root_disabled() -> ApiError:
    return ApiError("PGRST126", "Root endpoint metadata is disabled")


def max_affected_needs_set() -> ApiError:
    message = (
        "Function must return SETOF or TABLE when max-affected preference is used "
        "with handling=strict"
    )
    return ApiError("PGRST128", message)


def client_gone() -> ApiError:
    """Nobody reads this: the caller hung up before all of the request was sent."""
    return invalid_body("The request ended before its body did")


def body_too_large(limit: int) -> ApiError:
    message = f"The request body is larger than {limit} bytes"
    return ApiError("PGRST102", message, status=413)


# What a token can be refused for.


def token_refused(code: str, message: str, details: str | None = None) -> ApiError:
    """PGRST301 for what cannot be decoded, PGRST303 for claims that do not hold."""
    description = json.dumps(message)
    challenge = f'Bearer error="invalid_token", error_description={description}'
    return ApiError(code, message, details=details, headers=(("WWW-Authenticate", challenge),))


def role_unknown(role: str) -> ApiError:
    """As PostgreSQL says it of roles it can be asked for."""
    message = f'role "{role}" does not exist'
    return ApiError("22023", message, status=401, headers=(("WWW-Authenticate", "Bearer"),))


def token_required() -> ApiError:
    return ApiError(
        "PGRST302", "Anonymous access is disabled", headers=(("WWW-Authenticate", "Bearer"),)
    )


# What SQL can set that no answer can be made of.


def headers_setting_invalid() -> ApiError:
    message = (
        "response.headers guc must be a JSON array composed of objects "
        "with a single key and a string value"
    )
    return ApiError("PGRST111", message)


def status_setting_invalid() -> ApiError:
    return ApiError("PGRST112", "response.status guc must be a valid status code")


# What the database can answer instead of rows.


def cache_missing() -> ApiError:
    message = "Could not query the database for the schema cache. Retrying."
    return ApiError("PGRST002", message, headers=(("Retry-After", "1"),))


def database_unreachable(details: str | None = None) -> ApiError:
    return ApiError(
        "PGRST000",
        "Database connection error.",
        details=details,
        headers=(("Retry-After", "1"),),
    )


def connection_lost(details: str | None = None) -> ApiError:
    message = "Database client error. Retrying the connection."
    return ApiError("PGRST001", message, details=details, headers=(("Retry-After", "1"),))


def pool_exhausted() -> ApiError:
    return ApiError("PGRST003", "Timed out acquiring connection from connection pool.")


def embedded_twice(parent: str, label: str, depth: int) -> ApiError:
    """PostgREST joins embeds under this name, so PostgreSQL refuses two without aliases."""
    message = f'table name "{parent}_{label}_{depth}" specified more than once'
    return ApiError("42712", message, status=400)


def text_not_unicode() -> ApiError:
    return ApiError("22021", 'invalid byte sequence for encoding "UTF8"', status=400)


def text_with_null_byte() -> ApiError:
    """PostgreSQL has no such text; drivers refuse it before it could say so itself."""
    message = 'invalid byte sequence for encoding "UTF8": 0x00'
    return ApiError("22021", message, status=400)
