"""Factors: second proofs a person has enrolled, and challenges to give them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from nlctl.local.auth import timestamps
from nlctl.local.auth.database import every, first, query

if TYPE_CHECKING:
    from datetime import datetime

    from nlctl.local.auth.database import Connection

# The amr method that a factor of each type proves.
METHODS = {"totp": "totp", "phone": "mfa/phone", "webauthn": "mfa/webauthn"}
UNVERIFIED_SECONDS = 300


@dataclass(frozen=True)
class Factor:
    """A row of auth.mfa_factors."""

    id: UUID
    user_id: UUID
    created_at: datetime
    updated_at: datetime
    status: str
    friendly_name: str
    secret: str
    factor_type: str
    phone: str
    last_challenged_at: datetime | None

    @property
    def is_verified(self) -> bool:
        """Whether a code from it was ever right."""
        return self.status == "verified"

    def as_dict(self) -> dict[str, Any]:
        """For the clients; never the secret."""
        challenged = self.last_challenged_at
        return {
            "id": str(self.id),
            "created_at": timestamps.rfc3339(self.created_at),
            "updated_at": timestamps.rfc3339(self.updated_at),
            "status": self.status,
            **({"friendly_name": self.friendly_name} if self.friendly_name else {}),
            "factor_type": self.factor_type,
            "phone": self.phone,
            "last_challenged_at": timestamps.rfc3339(challenged) if challenged else None,
        }


@dataclass(frozen=True)
class Challenge:
    """A row of auth.mfa_challenges."""

    id: UUID
    created_at: datetime
    verified_at: datetime | None
    ip_address: str


async def of_user(db: Connection, user_id: UUID) -> tuple[Factor, ...]:
    """Oldest first."""
    return tuple(Factor(**row) for row in await every(db, query("factors"), (user_id,)))


async def create_totp(db: Connection, user_id: UUID, name: str, secret: str) -> UUID:
    """An unverified TOTP factor."""
    factor_id = uuid4()
    await db.execute(query("insert_factor"), (factor_id, user_id, name, secret))
    return factor_id


async def verify(db: Connection, factor: Factor) -> None:
    """Mark it as proved."""
    await db.execute(
        "update auth.mfa_factors set status = 'verified', updated_at = now() where id = %s",
        (factor.id,),
    )


async def rename(db: Connection, factor: Factor, name: str) -> None:
    """Give it another name."""
    await db.execute(
        "update auth.mfa_factors set friendly_name = %s, updated_at = now() where id = %s",
        (name, factor.id),
    )


async def delete(db: Connection, factor: Factor) -> None:
    """Remove it; sessions that it raised to aal2 fall back to aal1."""
    method = METHODS[factor.factor_type]
    await db.execute(query("forget_proofs"), (method, factor.id))
    await db.execute(
        "update auth.sessions set aal = 'aal1', factor_id = null where factor_id = %s", (factor.id,)
    )
    await db.execute("delete from auth.mfa_factors where id = %s", (factor.id,))


async def delete_stale(db: Connection) -> None:
    """Remove factors that nobody verified in time."""
    await db.execute(query("delete_stale_factors"), (UNVERIFIED_SECONDS,))


async def delete_unverified(db: Connection, user_id: UUID, factor_type: str) -> None:
    """Remove what this person began and did not finish."""
    await db.execute(
        "delete from auth.mfa_factors "
        "where user_id = %s and factor_type = %s and status = 'unverified'",
        (user_id, factor_type),
    )


async def challenge(db: Connection, factor: Factor, ip: str) -> Challenge:
    """Ask for a code from this factor."""
    row = await first(db, query("insert_challenge"), (uuid4(), factor.id, ip))
    assert row is not None  # noqa: S101 - insert … returning
    await db.execute(
        "update auth.mfa_factors set last_challenged_at = clock_timestamp() where id = %s",
        (factor.id,),
    )
    return Challenge(**row)


async def find_challenge(db: Connection, factor: Factor, challenge_id: UUID) -> Challenge | None:
    """A challenge of this factor, which nobody else answers until the transaction ends."""
    row = await first(db, query("lock_challenge"), (challenge_id, factor.id))
    return Challenge(**row) if row else None


async def answer(db: Connection, challenge: Challenge) -> None:
    """Use the challenge up."""
    await db.execute(
        "update auth.mfa_challenges set verified_at = now() where id = %s", (challenge.id,)
    )
