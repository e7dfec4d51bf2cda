"""Removal: deleting an account, or leaving its row with nobody in it."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from nlctl.local.auth import one_time_tokens, sessions, timestamps, users
from nlctl.local.auth.database import every

if TYPE_CHECKING:
    from uuid import UUID

    from nlctl.local.auth.database import Connection
    from nlctl.local.auth.users import User

PHONE_LENGTH = 15


async def delete(db: Connection, user: User) -> None:
    """Delete the account and whatever hangs on it."""
    await db.execute("delete from auth.users where id = %s", (user.id,))


async def anonymise(db: Connection, user: User) -> None:
    """Make the account unusable and its person unrecognisable; references to it still hold."""
    if user.deleted_at is not None:
        return
    await users.change(
        db,
        user,
        email=_disguise(user.id, user.email),
        phone=_disguise(user.id, user.phone)[:PHONE_LENGTH],
        email_change=_disguise(user.id, user.email_change),
        phone_change=_disguise(user.id, user.phone_change)[:PHONE_LENGTH],
        encrypted_password=None,
        confirmation_token="",
        recovery_token="",
        email_change_token_current="",
        email_change_token_new="",
        phone_change_token="",
        app_metadata={},
        user_metadata={},
        deleted_at=timestamps.now(),
    )
    await one_time_tokens.forget_all(db, user.id)
    await sessions.close_all(db, user.id)
    await db.execute("delete from auth.mfa_factors where user_id = %s", (user.id,))
    await _anonymise_identities(db, user.id)


async def _anonymise_identities(db: Connection, user_id: UUID) -> None:
    statement = "select id, provider, provider_id from auth.identities where user_id = %s"
    for identity in await every(db, statement, (user_id,)):
        name = _disguise(user_id, f"{identity['provider']}:{identity['provider_id']}")
        await db.execute(
            "update auth.identities set identity_data = '{}', provider_id = %s where id = %s",
            (name, identity["id"]),
        )


def _disguise(user_id: UUID, value: str) -> str:
    hashed = hashlib.sha256(f"{user_id}{value}".encode()).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()
