"""Identities: the ways one person signs in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from nlctl.local.auth import timestamps
from nlctl.local.auth.database import every, first, query

if TYPE_CHECKING:
    from datetime import datetime

    from nlctl.local.auth.database import Connection


@dataclass(frozen=True)
class Identity:
    """A row of auth.identities."""

    id: UUID
    provider_id: str
    user_id: UUID
    identity_data: dict[str, Any]
    provider: str
    last_sign_in_at: datetime | None
    created_at: datetime | None
    updated_at: datetime | None
    email: str

    def as_dict(self) -> dict[str, Any]:
        """For the clients, to whom `id` is the provider's name for the person."""
        moments = {
            name: timestamps.rfc3339(moment)
            for name in ("last_sign_in_at", "created_at", "updated_at")
            if (moment := getattr(self, name)) is not None
        }
        return {
            "identity_id": str(self.id),
            "id": self.provider_id,
            "user_id": str(self.user_id),
            "identity_data": self.identity_data,
            "provider": self.provider,
            **moments,
            **({"email": self.email} if self.email else {}),
        }

    @property
    def is_email_verified(self) -> bool:
        """Whether the provider vouches for the address."""
        return self.identity_data.get("email_verified") is True


def claims(user_id: UUID, **known: Any) -> dict[str, Any]:
    """What a new identity says about its person; an unknown address is left out."""
    stated = {name: value for name, value in known.items() if value != ""}
    return {"sub": str(user_id), "email_verified": False, "phone_verified": False, **stated}


async def of_user(db: Connection, user_id: UUID) -> tuple[Identity, ...]:
    """Oldest first."""
    return tuple(Identity(**row) for row in await every(db, query("identities"), (user_id,)))


async def create(db: Connection, user_id: UUID, provider: str, data: dict[str, Any]) -> Identity:
    """Add an identity whose name at the provider is data["sub"]."""
    values = {
        "id": uuid4(),
        "provider_id": data["sub"],
        "user_id": user_id,
        "data": Jsonb(data),
        "provider": provider,
        "at": timestamps.now(),
    }
    row = await first(db, query("insert_identity"), values)
    assert row is not None  # noqa: S101 - insert … returning
    return Identity(**row)


async def state(db: Connection, identity: Identity, **facts: Any) -> None:
    """Write facts into the identity's data, over what it said before."""
    await db.execute(
        "update auth.identities set identity_data = identity_data || %s, updated_at = now() "
        "where id = %s",
        (Jsonb(facts), identity.id),
    )


async def delete(db: Connection, identity: Identity) -> None:
    """Remove it."""
    await db.execute("delete from auth.identities where id = %s", (identity.id,))
