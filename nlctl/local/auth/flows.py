"""Flows: a sign-in that began in one place and ends in another, tied together by PKCE."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from nlctl.local.auth import timestamps
from nlctl.local.auth.database import first, query
from nlctl.local.auth.errors import bad_request, broken, invalid

if TYPE_CHECKING:
    from datetime import datetime

    from nlctl.local.auth.calls import Body
    from nlctl.local.auth.database import Connection

EXPIRY = 300
METHODS = ("s256", "plain")
SHORTEST, LONGEST = 43, 128

_CHALLENGE = re.compile(r"[a-zA-Z._~0-9-]+")


@dataclass(frozen=True)
class Challenge:
    """What the client will prove it knows the origin of."""

    method: str
    value: str


@dataclass(frozen=True)
class Flow:
    """A row of auth.flow_state."""

    id: UUID
    user_id: UUID | None
    provider_type: str
    authentication_method: str
    code_challenge: str
    code_challenge_method: str
    created_at: datetime
    auth_code_issued_at: datetime | None

    @property
    def is_expired(self) -> bool:
        """Whether its code came too late."""
        issued = self.auth_code_issued_at if self.authentication_method == "magiclink" else None
        return timestamps.is_past(issued or self.created_at, EXPIRY)

    def is_proved_by(self, verifier: str) -> bool:
        """Whether `verifier` is what the challenge was made from."""
        made = verifier
        if self.code_challenge_method == "s256":
            hashed = hashlib.sha256(verifier.encode()).digest()
            made = base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()
        return hmac.compare_digest(made.encode(), self.code_challenge.encode())


def read_challenge(body: Body) -> Challenge | None:
    """The challenge that was sent, if any; half of one, or a bad one, is refused."""
    method, value = body.text("code_challenge_method"), body.text("code_challenge")
    if not method and not value:
        return None
    if not method or not value:
        raise invalid("PKCE flow requires code_challenge_method and code_challenge")
    if not SHORTEST <= len(value) <= LONGEST:
        raise invalid(f"code challenge has to be between {SHORTEST} and {LONGEST} characters")
    if not _CHALLENGE.fullmatch(value):
        raise invalid(
            "code challenge can only contain alphanumeric characters, hyphens, periods, "
            "underscores and tildes"
        )
    if method.lower() not in METHODS:
        raise broken(f'unsupported code_challenge method "{method}"')
    return Challenge(method.lower(), value)


async def begin(
    db: Connection, user_id: UUID, challenge: Challenge | None, provider: str, method: str
) -> None:
    """Remember the challenge until the link in the letter is followed."""
    if challenge is None:
        return
    values = {
        "id": uuid4(),
        "user_id": user_id,
        "auth_code": str(uuid4()),
        "challenge": challenge.value,
        "challenge_method": challenge.method,
        "provider": provider,
        "method": method,
    }
    await db.execute(query("insert_flow"), values)


async def issue_code(db: Connection, user_id: UUID, method: str) -> str:
    """The code of the person's latest flow of this kind, valid from now."""
    row = await first(db, query("issue_auth_code"), {"user_id": user_id, "method": method})
    if row is None:
        raise bad_request(
            "flow_state_not_found",
            "No associated flow state found. 422: No valid flow state found for user.",
        )
    return str(row["auth_code"])


async def lock(db: Connection, code: str) -> Flow | None:
    """The flow this code belongs to, which nobody else finishes meanwhile."""
    row = await first(db, query("lock_flow"), (code,))
    return Flow(**row) if row else None


async def end(db: Connection, flow: Flow) -> None:
    """Forget the flow: its code was exchanged."""
    await db.execute("delete from auth.flow_state where id = %s", (flow.id,))
