"""Refresh tokens: the chain of tokens, each used once, that keeps a session alive."""

from __future__ import annotations

import re
import secrets
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nlctl.local.auth.audit import NOBODY
from nlctl.local.auth.database import first, query

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from nlctl.local.auth.database import Connection

ALPHABET = string.ascii_lowercase + string.digits
LENGTH = 12

_SHAPE = re.compile(r"[a-z0-9]{12}")


@dataclass(frozen=True)
class RefreshToken:
    """A row of auth.refresh_tokens."""

    id: int
    token: str
    user_id: UUID
    session_id: UUID | None
    parent: str
    revoked: bool
    updated_at: datetime


def is_well_formed(token: str) -> bool:
    """Whether this could be one of ours."""
    return _SHAPE.fullmatch(token) is not None


async def issue(db: Connection, user_id: UUID, session_id: UUID, parent: str = "") -> str:
    """A new token, child of `parent`."""
    token = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    values = {
        "instance_id": NOBODY,
        "token": token,
        "user_id": str(user_id),
        "session_id": session_id,
        "parent": parent,
    }
    await db.execute(query("insert_refresh_token"), values)
    return token


async def find(db: Connection, token: str) -> RefreshToken | None:
    """The token as stored."""
    row = await first(db, query("find_refresh_token"), (token,))
    return RefreshToken(**row) if row else None


async def lock(db: Connection, token: str) -> RefreshToken | None:
    """The token, locked with its session; None while somebody else holds either."""
    row = await first(db, query("lock_refresh_token"), (token,))
    return RefreshToken(**row) if row else None


async def find_active(db: Connection, session_id: UUID) -> RefreshToken | None:
    """The youngest token of the session that was not used yet."""
    row = await first(db, query("find_active_refresh_token"), (session_id,))
    return RefreshToken(**row) if row else None


async def revoke(db: Connection, token: RefreshToken) -> None:
    """Mark one as used."""
    await db.execute(
        "update auth.refresh_tokens set revoked = true, updated_at = now() where id = %s",
        (token.id,),
    )


async def revoke_family(db: Connection, session_id: UUID) -> None:
    """Mark all of a session as used: nobody can refresh it any more."""
    await db.execute(
        "update auth.refresh_tokens set revoked = true, updated_at = now() "
        "where session_id = %s and not revoked",
        (session_id,),
    )
