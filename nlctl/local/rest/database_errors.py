"""What PostgreSQL refuses, as the Data API tells it: SQLSTATE as HTTP status, and RAISE in full."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nlctl.local.pipeline import Exhausted, Unreachable
from nlctl.local.rest import errors
from nlctl.local.rest.errors import ApiError

if TYPE_CHECKING:
    import psycopg

    from nlctl.local.rest.errors import Headers

SQL_STATUS = {
    "08": 503,
    "09": 500,
    "0L": 403,
    "0P": 403,
    "21000": 500,
    "23503": 409,
    "23505": 409,
    "25": 500,
    "25006": 405,
    "28": 403,
    "2D": 500,
    "38": 500,
    "39": 500,
    "3B": 500,
    "40": 500,
    "42501": 403,
    "42883": 404,
    "42P01": 404,
    "42P17": 500,
    "53": 503,
    "53400": 500,
    "54": 500,
    "55": 500,
    "57": 500,
    "57P01": 503,
    "58": 500,
    "F0": 500,
    "HV": 500,
    "P0": 500,
    "P0001": 400,
    "XX": 500,
}


def read(error: psycopg.Error, *, is_anonymous: bool) -> ApiError:
    """What the server refused. Whether an anonymous caller asked decides 401 or 403."""
    if isinstance(error, Unreachable):
        return errors.database_unreachable(str(error) or None)
    if isinstance(error, Exhausted):
        return errors.pool_exhausted()
    state = error.sqlstate
    if state is None:
        return errors.connection_lost(str(error).strip() or None)
    said = error.diag
    message = said.message_primary or ""
    if state == "PGRST":
        return _raised_in_full(message, said.message_detail)
    status = _status(state, message, is_anonymous=is_anonymous)
    return ApiError(
        state,
        message,
        details=said.message_detail,
        hint=said.message_hint,
        status=status,
        headers=_headers(status),
    )


def _headers(status: int) -> Headers:
    if status == 401:
        return (("WWW-Authenticate", "Bearer"),)
    return (("Retry-After", "1"),) if status == 503 else ()


def _status(state: str, message: str, *, is_anonymous: bool) -> int:
    if state.startswith("PT"):
        return _custom_status(state[2:])
    if state == "42501" and is_anonymous:
        return 401
    if state == "21000" and message.endswith("requires a WHERE clause"):
        return 400
    if state == "22023" and message.startswith("role") and message.endswith("does not exist"):
        return 401
    if state == "42883" and message.startswith("function xmlagg("):
        return 406
    return SQL_STATUS.get(state) or SQL_STATUS.get(state[:2], 400)


def _custom_status(digits: str) -> int:
    """`PTxyz` answers xyz; a status no server can send becomes 500."""
    status = int(digits) if digits.isascii() and digits.isdecimal() else 0
    return status if 200 <= status <= 599 else 500


def _raised_in_full(message: str, detail: str | None) -> ApiError:
    """`RAISE SQLSTATE 'PGRST'`: MESSAGE is the body, DETAIL the status and the headers."""
    body = _parsed(message)
    if not _is_body(body):
        hint = (
            "MESSAGE must be a JSON object with obligatory keys: 'code', 'message' "
            "and optional keys: 'details', 'hint'."
        )
        return _raised_badly(f"Invalid JSON value for MESSAGE: '{message}'", hint)
    control_hint = (
        "DETAIL must be a JSON object with obligatory keys: 'status', 'headers' "
        "and optional key: 'status_text'."
    )
    if detail is None:
        return _raised_badly("DETAIL is missing in the RAISE statement", control_hint)
    control = _parsed(detail)
    if not _is_control(control):
        return _raised_badly(f"Invalid JSON value for DETAIL: '{detail}'", control_hint)
    return ApiError(
        body["code"],
        body["message"],
        details=body.get("details"),
        hint=body.get("hint"),
        status=control["status"],
        headers=tuple(control["headers"].items()),
    )


def _raised_badly(details: str, hint: str) -> ApiError:
    message = "Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error"
    return ApiError("PGRST121", message, details=details, hint=hint)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_body(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("code"), str)
        and isinstance(value.get("message"), str)
        and isinstance(value.get("details"), str | None)
        and isinstance(value.get("hint"), str | None)
    )


def _is_control(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("headers"), dict):
        return False
    status = value.get("status")
    if not isinstance(status, int) or isinstance(status, bool) or not 200 <= status <= 599:
        return False
    return all(isinstance(text, str) for text in value["headers"].values())
