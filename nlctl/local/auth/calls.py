"""Calls: one request with its body read, and the service that answers it."""

from __future__ import annotations

import ipaddress
import json
import math
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from nlctl.local.auth import redirects
from nlctl.local.auth.errors import Refusal, bad_request, invalid, not_found

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from starlette.requests import Request

    from nlctl.local.auth.config import AuthConfig
    from nlctl.local.auth.database import Connection, Database
    from nlctl.local.auth.limits import Allowance
    from nlctl.local.auth.mailer import Mailer
    from nlctl.local.tokens import Keyring

MAXIMUM_BODY = 1 << 20
UNKNOWN_IP = "0.0.0.0"  # noqa: S104 - nobody listens on it
KINDS = {str: "a string", bool: "true or false", dict: "an object"}

T = TypeVar("T", str, bool, dict[str, Any])

_EMAIL = re.compile(
    r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@"
    r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
    r"(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*"
)
_PHONE = re.compile(r"[1-9][0-9]{1,14}")


@dataclass(frozen=True)
class Service:
    """One running Auth service: its settings, and what it works with."""

    config: AuthConfig
    keyring: Keyring
    database: Database
    mailer: Mailer
    letters: Allowance
    guesses: Allowance


class Body:
    """The JSON object that was sent.

    What is wrong with it is told when it is asked for: whoever may not ask hears that first.
    """

    def __init__(self, sent: bytes = b"") -> None:
        self._sent = sent

    @property
    def is_blank(self) -> bool:
        """Whether nothing was sent."""
        return not self._sent

    def text(self, name: str) -> str:
        """A text, blank where it is missing."""
        return self._get(name, str) or ""

    def optional_text(self, name: str) -> str | None:
        """A text, or None where it is missing."""
        return self._get(name, str)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A boolean."""
        value = self._get(name, bool)
        return default if value is None else value

    def record(self, name: str) -> dict[str, Any] | None:
        """An object, or None where it is missing."""
        return self._get(name, dict)

    def _get(self, name: str, kind: type[T]) -> T | None:
        value = self._values.get(name)
        if value is not None and not isinstance(value, kind):
            raise _not_json(f"{name} must be {KINDS[kind]}")
        return value

    @cached_property
    def _values(self) -> dict[str, Any]:
        return _parse(self._sent)


@dataclass(frozen=True)
class Call:
    """What is asked, from where, of which service."""

    service: Service
    request: Request
    body: Body

    @property
    def config(self) -> AuthConfig:
        """The settings."""
        return self.service.config

    def transaction(self) -> AbstractAsyncContextManager[Connection]:
        """A connection inside a transaction."""
        return self.service.database.transaction()

    def query(self, name: str) -> str:
        """A parameter of the address, blank where it is missing."""
        return self.request.query_params.get(name, "")

    def path_id(self, name: str) -> UUID:
        """A part of the path that must be a UUID."""
        found = parse_uuid(self.request.path_params[name])
        if found is None:
            raise not_found("validation_failed", f"{name} must be an UUID")
        return found

    @property
    def path(self) -> str:
        """The address as this service sees it, without the gateway's prefix."""
        root = str(self.request.scope.get("root_path", ""))
        return str(self.request.scope["path"]).removeprefix(root)

    @property
    def user_agent(self) -> str:
        """What the client calls itself."""
        return self.request.headers.get("user-agent", "")

    @property
    def ip(self) -> str:
        """Where the client is, as far as the proxies before us tell."""
        forwarded = self.request.headers.get("x-forwarded-for", "").split(",")
        client = self.request.client
        candidates = [*forwarded, client.host if client else ""]
        return next(filter(None, map(_as_ip, candidates)), UNKNOWN_IP)

    @property
    def redirect_to(self) -> str:
        """Where a link in a letter should lead back to."""
        return redirects.choose(self.config, self.request)


async def read(service: Service, request: Request, *, has_body: bool) -> Call:
    """The call that `request` makes."""
    return Call(service, request, Body(await _read_body(request) if has_body else b""))


def email(address: str) -> str:
    """The address in lower case; what is not one is refused."""
    if not address:
        raise invalid("An email address is required")
    if len(address) > 255:
        raise invalid("An email address is too long")
    if not _EMAIL.fullmatch(address):
        raise invalid("Unable to validate email address: invalid format")
    return address.lower()


def phone(number: str) -> str:
    """The number as digits alone; what is not E.164 is refused."""
    found = digits(number)
    if not _PHONE.fullmatch(found):
        raise invalid("Invalid phone number format (E.164 required)")
    return found


def digits(number: str) -> str:
    """The number without plus and spaces."""
    return number.removeprefix("+").replace(" ", "")


def parse_uuid(text: str) -> UUID | None:
    """The id, or None where it is not one."""
    try:
        return UUID(text)
    except ValueError:
        return None


async def _read_body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAXIMUM_BODY:
            message = f"Request body too large (max {MAXIMUM_BODY} bytes)"
            raise Refusal(413, "request_entity_too_large", message)
        parts.append(part)
    return b"".join(parts)


def _parse(body: bytes) -> dict[str, Any]:
    if not body:
        raise _not_json("unexpected end of JSON input")
    try:
        values = json.loads(body)
        is_storable = _is_storable(values)
    except (ValueError, RecursionError) as error:
        raise _not_json("invalid JSON") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise _not_json("an object is expected")
    if not is_storable:
        raise _not_json("a value cannot be stored")
    return values


def _is_storable(value: Any) -> bool:
    """Whether PostgreSQL can keep `value`: no NUL, no half of a surrogate pair, no infinity."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, str):
        return not any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in value)
    if isinstance(value, dict):
        return all(_is_storable(inner) for pair in value.items() for inner in pair)
    if isinstance(value, list):
        return all(map(_is_storable, value))
    return True


def _not_json(reason: str) -> Refusal:
    return bad_request("bad_json", f"Could not parse request body as JSON: {reason}")


def _as_ip(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        return ""
