"""Refusals: what the service answers when it does not do as asked.

Almost every refusal is HTTP 400; the status people mean stands in the body, as text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nlctl.local.pipeline import Exhausted

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg
    from psycopg.errors import Diagnostic

BAD_REQUEST = 400
BROKEN = 500


class Refusal(Exception):
    """What is answered instead: `status` for people, `code` and `error` for programs."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        error: str | None = None,
        http_status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.error = error or code
        self.http_status = http_status or (BROKEN if status == BROKEN else BAD_REQUEST)

    def as_dict(self) -> dict[str, Any]:
        """The body of the answer."""
        return {
            "statusCode": str(self.status),
            "error": self.error,
            "message": self.message,
            "code": self.code,
        }


class Uncertain(Refusal):
    """The connection was lost: whether the transaction was committed, nobody knows."""


def no_bucket() -> Refusal:
    return Refusal(404, "NoSuchBucket", "Bucket not found", error="Bucket not found")


def no_object() -> Refusal:
    return Refusal(404, "NoSuchKey", "Object not found", error="not_found")


def no_file() -> Refusal:
    """The row is there and its bytes are not."""
    return Refusal(404, "NoSuchKey", "The resource was not found", error="Not found")


def no_upload() -> Refusal:
    return Refusal(404, "NoSuchUpload", "Upload not found")


def no_route(method: str, path: str) -> Refusal:
    message = f"Route {method}:{path} not found"
    return Refusal(404, "InvalidRequest", message, error="Not Found", http_status=404)


def access_denied(message: str = "Access denied", *, http_status: int | None = None) -> Refusal:
    return Refusal(403, "AccessDenied", message, error="Unauthorized", http_status=http_status)


def invalid(message: str) -> Refusal:
    """A request that does not have the form its route asks for."""
    return Refusal(400, "InvalidRequest", message, error="Error")


def no_content(message: str = "No content provided") -> Refusal:
    return Refusal(400, "InvalidRequest", message)


def invalid_parameter(message: str) -> Refusal:
    return Refusal(400, "InvalidParameter", message)


def invalid_key(key: str) -> Refusal:
    return Refusal(400, "InvalidKey", f"Invalid key: {key}")


def invalid_bucket_name() -> Refusal:
    return Refusal(400, "InvalidBucketName", "Bucket name invalid", error="Invalid Input")


def invalid_size() -> Refusal:
    return Refusal(
        400, "InvalidRequest", "Invalid file size format, hint: use 20GB / 20MB / 30KB / 3B"
    )


def invalid_type(name: str) -> Refusal:
    message = f"mime type {name} is not supported"
    return Refusal(415, "InvalidMimeType", message, error="invalid_mime_type")


def too_large() -> Refusal:
    return Refusal(
        413,
        "EntityTooLarge",
        "The object exceeded the maximum allowed size",
        error="Payload too large",
    )


def metadata_too_large() -> Refusal:
    return Refusal(
        413, "EntityTooLarge", "The user_metadata exceeded 1MB", error="Payload too large"
    )


def taken(code: str = "ResourceAlreadyExists") -> Refusal:
    return Refusal(409, code, "The resource already exists", error="Duplicate")


def bucket_not_empty() -> Refusal:
    return Refusal(409, "ResourceNotEmpty", "The bucket you tried to delete is not empty")


def not_available(feature: str) -> Refusal:
    message = f"{feature} is not available on the local stack"
    return Refusal(409, "FeatureNotEnabled", message)


def invalid_token(message: str) -> Refusal:
    """A signed URL whose token is not ours, or holds no more."""
    return Refusal(400, "InvalidJWT", message)


def invalid_signature(message: str = "Invalid signature") -> Refusal:
    return Refusal(400, "InvalidSignature", message)


def invalid_range() -> Refusal:
    return Refusal(
        416, "InvalidRange", "invalid range provided", error="invalid_range", http_status=416
    )


def locked() -> Refusal:
    return Refusal(423, "ResourceLocked", "The resource is locked")


def broken() -> Refusal:
    return Refusal(500, "InternalError", "Internal Server Error", error="Internal")


def disk_full() -> Refusal:
    return Refusal(500, "InternalError", "The disk is full; the object was not stored")


def not_written() -> Refusal:
    """PostgreSQL refused nothing, and yet there is no row."""
    return Refusal(500, "DatabaseError", "A trigger kept the object from being written")


def from_database(error: psycopg.Error) -> Refusal:
    """What PostgreSQL refused, in the service's words."""
    if isinstance(error, Exhausted):
        message = "Too many connections issued to the database"
        return Refusal(429, "SlowDown", message, error="too_many_connections", http_status=429)
    if error.sqlstate is None:
        return Uncertain(503, "DatabaseError", "The database did not answer")
    explain = _EXPLAINED.get(error.sqlstate)
    if explain:
        return explain(error.diag)
    return Refusal(500, "DatabaseError", f"database error, code: {error.sqlstate}")


def _explain_denial(said: Diagnostic) -> Refusal:
    message = said.message_primary or ""
    is_policy = "row-level security" in message
    return access_denied("new row violates row-level security policy" if is_policy else message)


def _explain_reference(said: Diagnostic) -> Refusal:
    if "is still referenced from table" in (said.message_detail or ""):
        message = "The resource could not be updated or removed due to a foreign key constraint"
        return Refusal(409, "ResourceReferenced", message)
    return Refusal(404, "InvalidRequest", "The related resource does not exist")


def _explain_timeout(_said: Diagnostic) -> Refusal:
    message = "The connection to the database timed out"
    return Refusal(544, "DatabaseTimeout", message, http_status=544)


def _explain_mismatch(said: Diagnostic) -> Refusal:
    where = "There is a database schema mismatch in a trigger or RLS policy: "
    return Refusal(503, "DatabaseSchemaMismatch", f"{where}{said.message_primary}")


def _explain_definition(_said: Diagnostic) -> Refusal:
    message = "The database schema is invalid or incompatible."
    return Refusal(503, "DatabaseInvalidObjectDefinition", message)


_EXPLAINED: dict[str, Callable[[Diagnostic], Refusal]] = {
    "42501": _explain_denial,
    "23505": lambda _: taken(),
    "23503": _explain_reference,
    "55P03": lambda _: locked(),
    "57014": _explain_timeout,
    "22P02": lambda said: invalid_parameter(said.message_primary or ""),
    "42703": _explain_mismatch,
    "42P01": _explain_mismatch,
    "42P17": _explain_definition,
}
