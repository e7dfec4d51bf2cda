"""The API keys of the local stack: the Supabase CLI's own public defaults.

Tutorials, frontends and the clients' test suites hard-code them, so they work here as they are.
They protect nothing, which is why the stack binds to loopback only.
`supabase start` prints the same ones.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

JWT_SECRET = "super-secret-jwt-token-with-at-least-32-characters-long"  # noqa: S105
PUBLISHABLE_KEY = "sb_publishable_ACJWlzQHlZjBrEguHvfOxg_3BJgxAaH"
SECRET_KEY = "sb_secret_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz"  # noqa: S105
ISSUER = "supabase-demo"
EXPIRES_AT = 1983812996  # in 2032


def legacy_key(role: str, secret: str = JWT_SECRET) -> str:
    """The HS256 token that older clients use as API key for `anon` or `service_role`."""
    header = _part({"alg": "HS256", "typ": "JWT"})
    payload = _part({"iss": ISSUER, "role": role, "exp": EXPIRES_AT})
    signed = hmac.digest(secret.encode(), f"{header}.{payload}".encode(), hashlib.sha256)
    return f"{header}.{payload}.{_base64url(signed)}"


def _part(claims: dict[str, str | int]) -> str:
    return _base64url(json.dumps(claims, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
