"""Who a token says its bearer is, and the service's own words for tokens it does not believe."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from nlctl.local.tokens import Flaw, TokenRejected

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nlctl.local.tokens import Keyring

OPAQUE = "sb_"

_FOREVER = 1 << 60  # expiry is told in other words here, and the other moments are not looked at
_SPACE = re.compile(r"\s")


class TokenRefused(Exception):
    """A token that is not believed: a code for logs and joins, and a sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Credentials:
    """A token that is believed, and what it says."""

    token: str
    claims: Mapping[str, Any]

    @property
    def role(self) -> str:
        """The database role to be."""
        return str(self.claims["role"])

    @property
    def expires_at(self) -> float:
        """When it is no longer believed, in seconds of the epoch."""
        return float(self.claims["exp"])


def read(keyring: Keyring, token: object) -> Credentials:
    """Believe a token now, or raise TokenRefused."""
    if not isinstance(token, str):
        raise _malformed()
    try:
        claims = keyring.verify(_SPACE.sub("", unquote(token)), leeway=_FOREVER)
    except TokenRejected as rejection:
        raise _refused(rejection) from rejection
    if claims.get("role") is None or claims.get("exp") is None:
        raise TokenRefused("InvalidJWTToken", "Fields `role` and `exp` are required in JWT")
    believed = Credentials(token, claims)
    late = int(time.time()) - int(believed.expires_at)
    if late >= 0:
        raise TokenRefused("InvalidJWTToken", f"Token has expired {late} seconds ago")
    return believed


def _refused(rejection: TokenRejected) -> TokenRefused:
    if rejection.flaw is Flaw.key:
        return TokenRefused("JwtSignatureError", "Failed to validate JWT signature")
    if rejection.flaw is Flaw.algorithm:
        return TokenRefused(
            "JwtSignerError",
            "Failed to generate JWT signer, check your JWT secret or JWKS configuration",
        )
    return _malformed()


def _malformed() -> TokenRefused:
    return TokenRefused("MalformedJWT", "The token provided is not a valid JWT")
