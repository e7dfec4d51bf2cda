"""The audit log: what people did with their account, in the real service's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from psycopg.types.json import Json

from nlctl.local.auth.database import every, first, query

if TYPE_CHECKING:
    from nlctl.local.auth.database import Connection, Row
    from nlctl.local.auth.users import User

LOG_TYPES = {
    "login": "account",
    "logout": "account",
    "user_signedup": "team",
    "user_invited": "team",
    "user_deleted": "team",
    "token_revoked": "token",
    "token_refreshed": "token",
    "user_modified": "user",
    "user_recovery_requested": "user",
    "user_reauthenticate_requested": "user",
    "user_confirmation_requested": "user",
    "user_repeated_signup": "user",
    "user_updated_password": "user",
    "identity_unlinked": "user",
    "factor_in_progress": "factor",
    "factor_unenrolled": "factor",
    "challenge_created": "factor",
    "verification_attempted": "factor",
    "factor_deleted": "factor",
    "factor_updated": "factor",
}
# What the query parameter may search, as keys of the payload.
SEARCHABLE = {
    "author": ["actor_username", "actor_name"],
    "action": ["action"],
    "type": ["log_type"],
}
NOBODY = "00000000-0000-0000-0000-000000000000"


async def record(db: Connection, actor: User, action: str, *, ip: str = "", **traits: Any) -> None:
    """Note what a person did."""
    payload = {
        "actor_id": str(actor.id),
        "actor_via_sso": actor.is_sso_user,
        "actor_username": actor.phone or actor.email,
    }
    name = (actor.user_metadata or {}).get("full_name")
    if name is not None:
        payload["actor_name"] = name
    await _write(db, payload, action, ip, traits)


async def record_admin(db: Connection, role: str, action: str, **traits: Any) -> None:
    """Note what a server with the secret key did."""
    payload = {"actor_id": NOBODY, "actor_via_sso": False, "actor_username": role}
    await _write(db, payload, action, "", traits)


async def search(
    db: Connection, keys: list[str], text: str, *, limit: int, offset: int
) -> tuple[list[Row], int]:
    """A page of entries whose payload holds `text` under one of `keys`, and how many there are."""
    values = {"keys": keys, "pattern": f"%{text}%", "limit": limit, "offset": offset}
    total = await first(db, query("count_audit_entries"), values)
    return await every(db, query("search_audit_entries"), values), total["count"] if total else 0


async def _write(
    db: Connection, actor: dict[str, Any], action: str, ip: str, traits: dict[str, Any]
) -> None:
    payload = {**actor, "action": action, "log_type": LOG_TYPES[action]}
    if traits:
        payload["traits"] = traits
    await db.execute(query("insert_audit_entry"), (NOBODY, uuid4(), Json(payload), ip))
