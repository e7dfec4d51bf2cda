"""Callers: who asks, by the token they show."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlctl.local.storage import errors
from nlctl.local.tokens import Flaw, TokenRejected

if TYPE_CHECKING:
    from nlctl.local.tokens import Keyring

_BEARER = re.compile(r"^Bearer\s+", re.IGNORECASE)

# The words that programs may know: those of the library the service itself uses.
_SAID = {
    Flaw.shape: "Invalid Compact JWS",
    Flaw.algorithm: '"alg" (Algorithm) Header Parameter value not allowed',
    Flaw.key: "signature verification failed",
    Flaw.claims: "JWT Claims Set must be a top-level JSON object",
    Flaw.expired: '"exp" claim timestamp check failed',
    Flaw.not_yet: '"nbf" claim timestamp check failed',
    Flaw.issued_in_future: '"iat" claim timestamp check failed',
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose rights apply: the database role, and what SQL may know of the token."""

    role: str
    claims: str
    token: str = ""
    subject: str = ""
    is_known: bool = True

    @property
    def owner(self) -> str | None:
        """Whom the objects they upload belong to."""
        return self.subject or None


SERVICE = Caller("service_role", '{"role":"service_role"}')
"""Whom the service acts as where the caller's rights do not matter; row security lets it pass.

The project's own triggers on storage.objects run with these rights, as on the platform.
"""

NOBODY = Caller("anon", '{"role":"anon"}', is_known=False)


def read(authorization: str | None, keyring: Keyring) -> Caller:
    """Who shows this header; refuses a token that is not believed."""
    token = _BEARER.sub("", authorization or "")
    try:
        claims = keyring.verify(token)
    except TokenRejected as rejection:
        raise errors.access_denied(explain(rejection)) from rejection
    role, subject = claims.get("role") or "anon", claims.get("sub") or ""
    return Caller(str(role), json.dumps(claims), token, str(subject))


def read_leniently(authorization: str | None, keyring: Keyring) -> Caller:
    """The same, but whoever is not believed is nobody in particular."""
    try:
        return read(authorization, keyring)
    except errors.Refusal:
        return NOBODY


def explain(rejection: TokenRejected) -> str:
    """Why a token is not believed."""
    return _SAID[rejection.flaw]
