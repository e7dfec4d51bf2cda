"""One-time tokens: the codes and links sent to people, each good for one use."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING
from uuid import uuid4

from nlctl.local.auth.database import first, query

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from nlctl.local.auth.database import Connection, Row

# A link of the PKCE flow gives a code to exchange instead of a session.
PKCE_PREFIX = "pkce_"


def make_otp(length: int) -> str:
    """Digits to type."""
    return "".join(secrets.choice("0123456789") for _ in range(length))


def digest(address: str, otp: str) -> str:
    """What is stored, and what links carry, instead of the code itself."""
    return hashlib.sha224((address + otp).encode()).hexdigest()


async def keep(
    db: Connection, user_id: UUID, token_type: str, token_hash: str, address: str
) -> None:
    """Remember a token, in place of the last of its kind."""
    values = {
        "id": uuid4(),
        "user_id": user_id,
        "token_type": token_type,
        "token_hash": token_hash,
        "relates_to": address.lower(),
    }
    await db.execute(query("keep_one_time_token"), values)


async def claim(db: Connection, hashes: Iterable[str], token_types: Iterable[str]) -> Row | None:
    """The token (`user_id`, `token_type`, `relates_to`), its user locked until the end.

    Whoever comes second waits for the lock, and then finds that the token is gone.
    """
    values = {"hashes": list(hashes), "token_types": list(token_types)}
    found = await first(db, query("find_one_time_token"), values)
    if found is None:
        return None
    # The user before the token, as everybody locks them: the other way round two could deadlock.
    await db.execute("select from auth.users where id = %s for no key update", (found["user_id"],))
    return await first(db, query("find_one_time_token"), values)


async def forget(db: Connection, user_id: UUID, token_type: str) -> None:
    """Forget the token of this kind."""
    await db.execute(
        "delete from auth.one_time_tokens where user_id = %s and token_type = %s",
        (user_id, token_type),
    )


async def forget_all(db: Connection, user_id: UUID) -> None:
    """Forget whatever was sent to this person."""
    await db.execute("delete from auth.one_time_tokens where user_id = %s", (user_id,))
