"""CORS: browsers may call from any page, as on the real platform."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nlctl.local.gateway.routes import Route

RawHeaders = list[tuple[bytes, bytes]]

METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
# What clients send, for a preflight that does not name its headers.
HEADERS = (
    b"authorization, apikey, content-type, x-client-info, accept-profile, content-profile, prefer, "
    b"range, x-supabase-api-version, x-upsert, cache-control, x-region, x-retry-count, x-metadata, "
    b"traceparent, tracestate, baggage"
)
MAX_AGE = b"3600"
_OURS = b"access-control-"
_ANY_ORIGIN = (b"access-control-allow-origin", b"*")


def is_preflight(method: str, headers: dict[bytes, bytes]) -> bool:
    """Whether a browser asks first, on behalf of a page."""
    return method == "OPTIONS" and b"access-control-request-method" in headers


def preflight_answer(headers: dict[bytes, bytes]) -> RawHeaders:
    """Let the page go on with exactly what it asks for."""
    return [
        _ANY_ORIGIN,
        (b"access-control-allow-methods", METHODS),
        (
            b"access-control-allow-headers",
            headers.get(b"access-control-request-headers", HEADERS),
        ),
        (b"access-control-max-age", MAX_AGE),
        (b"content-length", b"0"),
    ]


def open_to_pages(headers: Iterable[tuple[bytes, bytes]], route: Route | None) -> RawHeaders:
    """`headers` of an answer, with those that let a page read it; a service's own give way."""
    kept = [each for each in headers if not each[0].startswith(_OURS)]
    kept.append(_ANY_ORIGIN)
    if route:
        kept.append((b"access-control-expose-headers", route.exposed))
    return kept
