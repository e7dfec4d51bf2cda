"""Refusals: the status, code and message that the clients know, in the shape they ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from starlette.datastructures import Headers

VERSION_HEADER = "X-Supabase-Api-Version"
VERSION = "2024-01-01"

DUPLICATE_EMAIL = "A user with this email address has already been registered"
DUPLICATE_PHONE = "A user with this phone number has already been registered"
UNEXPECTED = "Unexpected failure, please check server logs for more information"


class Refusal(Exception):
    """Why the service does not do what was asked."""

    def __init__(self, status: int, code: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details


class OAuthRefusal(Refusal):
    """A refusal in the shape of RFC 6749, whatever version the client speaks."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(400, error, description)


def invalid(message: str) -> Refusal:
    """400: the request itself is wrong."""
    return Refusal(400, "validation_failed", message)


def bad_request(code: str, message: str) -> Refusal:
    """400."""
    return Refusal(400, code, message)


def forbidden(code: str, message: str) -> Refusal:
    """403."""
    return Refusal(403, code, message)


def not_found(code: str, message: str) -> Refusal:
    """404."""
    return Refusal(404, code, message)


def unprocessable(code: str, message: str) -> Refusal:
    """422: understood, and not allowed."""
    return Refusal(422, code, message)


def too_often(code: str, message: str) -> Refusal:
    """429."""
    return Refusal(429, code, message)


def broken(message: str = UNEXPECTED) -> Refusal:
    """500: nobody's mistake but the project's or ours."""
    return Refusal(500, "unexpected_failure", message)


def response(refusal: Refusal, headers: Headers) -> Response:
    """The refusal as this client reads it."""
    if isinstance(refusal, OAuthRefusal):
        body: dict[str, Any] = {"error": refusal.code, "error_description": refusal.message}
        return JSONResponse(body, 400)
    answer = {"x-sb-error-code": refusal.code}
    if _speaks_current_version(headers):
        answer[VERSION_HEADER] = VERSION
        body = {"code": refusal.code, "message": refusal.message}
    else:
        body = {"code": refusal.status, "error_code": refusal.code, "msg": refusal.message}
    return JSONResponse({**body, **refusal.details}, refusal.status, headers=answer)


def _speaks_current_version(headers: Headers) -> bool:
    # ISO dates compare as text.
    asked = headers.get(VERSION_HEADER, "")
    return len(asked) == len(VERSION) and asked >= VERSION
