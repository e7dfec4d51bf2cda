"""Sessions: being signed in on one device, and the tokens that say so."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from starlette.responses import JSONResponse

from nlctl.local.auth import factors, hooks, refresh_tokens, timestamps, users
from nlctl.local.auth.calls import UNKNOWN_IP
from nlctl.local.auth.database import every, first, query

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.responses import Response

    from nlctl.local.auth.calls import Call
    from nlctl.local.auth.config import AuthConfig
    from nlctl.local.auth.database import Connection
    from nlctl.local.auth.users import User

SECOND_PROOFS = frozenset(factors.METHODS.values())


@dataclass(frozen=True)
class Session:
    """A row of auth.sessions."""

    id: UUID
    user_id: UUID
    created_at: datetime
    refreshed_at: datetime | None
    not_after: datetime | None
    aal: str

    @property
    def is_aal2(self) -> bool:
        """Whether the person proved themselves twice."""
        return self.aal == "aal2"

    def is_over(self, config: AuthConfig) -> bool:
        """Whether it has lasted as long as it may."""
        moment = timestamps.now()
        if self.not_after and moment > self.not_after:
            return True
        return bool(config.session_timebox) and timestamps.is_past(
            self.created_at, config.session_timebox
        )

    def was_left(self, config: AuthConfig, token_moment: datetime | None = None) -> bool:
        """Whether it was idle for longer than it may be."""
        if not config.session_inactivity:
            return False
        moments = (self.created_at, self.refreshed_at, token_moment)
        last = max(moment for moment in moments if moment)
        return timestamps.is_past(last, config.session_inactivity)


@dataclass(frozen=True)
class Grant:
    """What a client gets when it has signed in or refreshed."""

    access_token: str
    refresh_token: str
    expires_at: int
    user: User
    session_id: UUID

    def as_dict(self) -> dict[str, Any]:
        """The session, as the clients keep it."""
        return {**self._tokens(), "user": self.user.as_dict()}

    def as_fragment(self, link_type: str) -> str:
        """The session, as it follows the # of an address."""
        return urlencode(sorted({**self._tokens(), "type": link_type, "sb": ""}.items()))

    def response(self, **more: Any) -> Response:
        """The session as an answer, with the headers that name it."""
        return JSONResponse({**self.as_dict(), **more}, headers=self.headers())

    def headers(self) -> dict[str, str]:
        """Whose session it is, for logs between the client and us."""
        return {
            "sb-auth-user-id": str(self.user.id),
            "sb-auth-session-id": str(self.session_id),
            "sb-auth-refresh-token-prefix": self.refresh_token[:5],
            "Cache-Control": "no-store",
        }

    def _tokens(self) -> dict[str, Any]:
        return {
            "access_token": self.access_token,
            "token_type": "bearer",
            "expires_in": self.expires_at - int(time.time()),
            "expires_at": self.expires_at,
            "refresh_token": self.refresh_token,
        }


async def find(db: Connection, session_id: UUID) -> Session | None:
    """The session, while it lasts."""
    row = await first(db, query("find_session"), (session_id,))
    return Session(**row) if row else None


async def open_session(call: Call, db: Connection, user: User, method: str) -> Grant:
    """Sign a person in, who proved themselves by `method`."""
    session_id = uuid4()
    user = await users.change(db, user, last_sign_in_at=timestamps.now())
    origin = (call.user_agent or None, None if call.ip == UNKNOWN_IP else call.ip)
    await db.execute(query("insert_session"), (session_id, user.id, *origin))
    token = await refresh_tokens.issue(db, user.id, session_id)
    await add_proof(db, session_id, method)
    return await grant(call, db, user, session_id, token, method)


async def grant(
    call: Call, db: Connection, user: User, session_id: UUID, refresh_token: str, method: str
) -> Grant:
    """The tokens of a session as it stands now."""
    issued = int(time.time())
    claims = await _claims(call, db, user, session_id, issued)
    customized = await hooks.customize_claims(call, db, user, claims, method)
    return Grant(
        access_token=call.service.keyring.sign(customized),
        refresh_token=refresh_token,
        expires_at=claims["exp"],
        user=user,
        session_id=session_id,
    )


async def note_refresh(call: Call, db: Connection, session_id: UUID) -> None:
    """Remember when and from where a session was last continued."""
    values = {
        "id": session_id,
        "user_agent": call.user_agent or None,
        "ip": None if call.ip == UNKNOWN_IP else call.ip,
    }
    await db.execute(query("note_refresh"), values)


async def add_proof(db: Connection, session_id: UUID, method: str) -> None:
    """Note that the person of a session proved themselves by `method`."""
    await db.execute(query("add_proof"), (uuid4(), session_id, method))


async def raise_level(db: Connection, session_id: UUID, factor_id: UUID, method: str) -> None:
    """Note a second proof: the session is aal2 from here on."""
    await add_proof(db, session_id, method)
    await db.execute(
        "update auth.sessions set aal = 'aal2', factor_id = %s, updated_at = now() where id = %s",
        (factor_id, session_id),
    )


async def close(db: Connection, session_id: UUID) -> None:
    """End one session."""
    await db.execute("delete from auth.sessions where id = %s", (session_id,))


async def close_all(db: Connection, user_id: UUID) -> None:
    """Sign a person out everywhere."""
    await db.execute("delete from auth.sessions where user_id = %s", (user_id,))


async def close_others(db: Connection, user_id: UUID, session_id: UUID) -> None:
    """Sign a person out everywhere but here."""
    await db.execute(
        "delete from auth.sessions where user_id = %s and id <> %s", (user_id, session_id)
    )


async def close_below_aal2(db: Connection, user_id: UUID) -> None:
    """End the sessions whose person has proved themselves only once."""
    await db.execute("delete from auth.sessions where user_id = %s and aal < 'aal2'", (user_id,))


async def _claims(
    call: Call, db: Connection, user: User, session_id: UUID, issued: int
) -> dict[str, Any]:
    proofs = await every(db, query("proofs"), (session_id,))
    return {
        "iss": call.config.token_issuer,
        "sub": str(user.id),
        "aud": user.aud,
        "exp": issued + call.config.jwt_expiry,
        "iat": issued,
        "email": user.email,
        "phone": user.phone,
        "app_metadata": user.app_metadata or {},
        "user_metadata": user.user_metadata or {},
        "role": user.role,
        "aal": "aal2" if any(p["method"] in SECOND_PROOFS for p in proofs) else "aal1",
        "amr": proofs,
        "session_id": str(session_id),
        "is_anonymous": user.is_anonymous,
    }
