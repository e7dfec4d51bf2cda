"""API keys: who is admitted, and the token that services see in place of an opaque key."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from nlctl.local.keys import EXPIRES_AT, ISSUER
from nlctl.local.tokens import TokenRejected

if TYPE_CHECKING:
    from collections.abc import Callable

    from nlctl.local.tokens import Keyring

ADMITTED_ROLES = ("anon", "service_role")
OPAQUE = "sb_"
REMEMBERED = 1024

_BROWSER = re.compile(r"mozilla/|opera/", re.IGNORECASE)


class Refused(Exception):
    """The gateway answers by itself: status, message and hint of the answer."""

    def __init__(self, status: int, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.hint = hint


class Credentials(NamedTuple):
    """What a request shows of its caller."""

    key: str | None
    authorization: str | None
    user_agent: str = ""

    @property
    def bearer(self) -> str | None:
        """The token of a Bearer authorization."""
        scheme, _, token = (self.authorization or "").partition(" ")
        return token.lstrip(" ") if scheme.lower() == "bearer" else None


class Admission(NamedTuple):
    """A caller let in: the role of the key, and the authorization the service gets to see."""

    role: str | None
    authorization: str | None


@dataclass(frozen=True)
class ApiKeys:
    """The keys of one project: two opaque ones, and every token its keyring believes."""

    keyring: Keyring
    publishable: str
    secret: str = field(repr=False)

    def admit(self, shown: Credentials, *, needs_key: bool) -> Admission:
        """Let the caller in, or raise Refused."""
        is_opaque = shown.key is not None and shown.key.startswith(OPAQUE)
        admit = self._admit_again if is_opaque else self._admit  # a token may expire
        return admit(shown, needs_key)

    @cached_property
    def _admit_again(self) -> Callable[[Credentials, bool], Admission]:
        """`_admit` for callers who are let in the same way each time."""
        return lru_cache(maxsize=REMEMBERED)(self._admit)

    def _admit(self, shown: Credentials, needs_key: bool) -> Admission:
        if shown.key is None:
            if needs_key:
                raise Refused(
                    401,
                    "No API key found in request",
                    "No `apikey` request header or url param was found.",
                )
            role = self._role_of_bearer(shown.bearer)
        else:
            role = self._role_of(shown.key)
        if role is None and shown.key is not None:
            raise _unknown_key()
        if shown.key == self.secret and _BROWSER.match(shown.user_agent):
            raise Refused(
                401,
                "Forbidden use of secret API key in browser",
                "Secret API keys can only be used in a protected environment and should never "
                "be used in a browser. Delete this secret API key immediately.",
            )
        return Admission(role, self._authorization(shown))

    def token_of(self, key: str) -> str:
        """The token that stands for an opaque key; any other key is a token already."""
        return self._tokens.get(key, f"Bearer {key}").removeprefix("Bearer ")

    def _role_of(self, key: str) -> str | None:
        if key in self._tokens:
            return "service_role" if key == self.secret else "anon"
        try:
            role = self.keyring.verify(key).get("role")
        except TokenRejected:
            return None
        return role if role in ADMITTED_ROLES else None

    def _role_of_bearer(self, bearer: str | None) -> str | None:
        return self._role_of(bearer) if bearer and not bearer.startswith(OPAQUE) else None

    def _authorization(self, shown: Credentials) -> str | None:
        """Services read tokens only: an opaque key becomes the token of its role."""
        bearer = shown.bearer
        if bearer is not None and bearer.startswith(OPAQUE) and bearer != shown.key:
            raise _unknown_key()
        if shown.key in self._tokens and (shown.authorization is None or bearer == shown.key):
            return self._tokens[shown.key]
        return shown.authorization

    @cached_property
    def _tokens(self) -> dict[str | None, str]:
        return {
            key: "Bearer " + self.keyring.sign({"iss": ISSUER, "role": role, "exp": EXPIRES_AT})
            for key, role in ((self.publishable, "anon"), (self.secret, "service_role"))
        }


def _unknown_key() -> Refused:
    return Refused(
        401, "Invalid API key", "Double check your Supabase `anon` or `service_role` API key."
    )
