"""Callers: who a Bearer token says is asking, and whether that still holds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nlctl.local.auth import calls, sessions, users
from nlctl.local.auth.config import ADMIN_ROLES
from nlctl.local.auth.errors import Refusal, bad_request, forbidden
from nlctl.local.tokens import Flaw, TokenRejected

if TYPE_CHECKING:
    from nlctl.local.auth.calls import Call
    from nlctl.local.auth.database import Connection
    from nlctl.local.auth.sessions import Session
    from nlctl.local.auth.users import User

_BEARER = re.compile(r"bearer (\S+)", re.IGNORECASE)
_FLAWS = {
    Flaw.expired: "token has invalid claims: token is expired",
    Flaw.not_yet: "token has invalid claims: token is not valid yet",
    Flaw.key: "token signature is invalid: signature is invalid",
}


@dataclass(frozen=True)
class Caller:
    """A person with a valid token; a token made by hand may name no session."""

    user: User
    session: Session | None
    claims: dict[str, Any]

    @property
    def is_twice_proved(self) -> bool:
        """Whether this session is aal2."""
        return self.session is not None and self.session.is_aal2


async def require(call: Call, db: Connection) -> Caller:
    """Who asks; refused where that is nobody, or nobody any more."""
    caller = await _load(db, _claims(call))
    if caller.user.is_banned:
        raise forbidden("user_banned", "User is banned")
    return caller


async def require_admin(call: Call, db: Connection) -> str:
    """The role of a server with the secret key; anybody else is refused."""
    claims = _claims(call)
    if claims.get("session_id"):
        session = (await _load(db, claims)).session
        if session and (session.is_over(call.config) or session.was_left(call.config)):
            raise forbidden("session_expired", "Session is no longer valid")
    role = claims.get("role")
    if role not in ADMIN_ROLES:
        raise forbidden("not_admin", "User not allowed")
    return str(role)


def _claims(call: Call) -> dict[str, Any]:
    bearer = _BEARER.fullmatch(call.request.headers.get("authorization", ""))
    if bearer is None:
        message = "This endpoint requires a valid Bearer token"
        raise Refusal(401, "no_authorization", message)
    try:
        return call.service.keyring.verify(bearer[1])
    except TokenRejected as rejected:
        reason = _FLAWS.get(rejected.flaw, rejected.message)
        message = f"invalid JWT: unable to parse or verify signature, {reason}"
        raise forbidden("bad_jwt", message) from rejected


async def _load(db: Connection, claims: dict[str, Any]) -> Caller:
    subject = claims.get("sub")
    if not subject:
        raise forbidden("bad_jwt", "invalid claim: missing sub claim")
    user_id = calls.parse_uuid(str(subject))
    if user_id is None:
        raise bad_request("bad_jwt", "invalid claim: sub claim must be a UUID")
    user = await users.find(db, user_id)
    if user is None:
        raise forbidden("user_not_found", "User from sub claim in JWT does not exist")
    return Caller(user, await _load_session(db, claims), claims)


async def _load_session(db: Connection, claims: dict[str, Any]) -> Session | None:
    named = claims.get("session_id")
    if not named:
        return None
    session_id = calls.parse_uuid(str(named))
    if session_id is None:
        raise forbidden("bad_jwt", "invalid claim: session_id claim must be a UUID")
    session = await sessions.find(db, session_id)
    if session is None:
        message = "Session from session_id claim in JWT does not exist"
        raise forbidden("session_not_found", message)
    return session
