"""Users: accounts as rows of auth.users, and as the clients see them."""

from __future__ import annotations

import logging
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, LiteralString
from uuid import UUID, uuid4

from psycopg import sql
from psycopg.types.json import Jsonb

from nlctl.local.auth import factors, identities, timestamps
from nlctl.local.auth.config import AUDIENCE
from nlctl.local.auth.database import first, query
from nlctl.local.auth.errors import broken

if TYPE_CHECKING:
    from datetime import datetime

    from nlctl.local.auth.database import Connection, Row
    from nlctl.local.auth.factors import Factor
    from nlctl.local.auth.identities import Identity

log = logging.getLogger(__name__)

# Rows of another instance, or of none, are nobody to the service.
INSTANCE = UUID(int=0)

# The real service cannot read a row in which one of these is null, and neither do we.
NEVER_NULL = (
    "aud",
    "role",
    "confirmation_token",
    "recovery_token",
    "email_change",
    "email_change_token_current",
    "email_change_token_new",
    "phone_change",
    "phone_change_token",
    "reauthentication_token",
)
# Columns that the API calls something else.
COLUMNS = {"app_metadata": "raw_app_meta_data", "user_metadata": "raw_user_meta_data"}
BLANK_IS_NULL = {"email", "phone"}
PUBLIC_MOMENTS = (
    "email_confirmed_at",
    "phone_confirmed_at",
    "confirmed_at",
    "invited_at",
    "confirmation_sent_at",
    "recovery_sent_at",
    "email_change_sent_at",
    "phone_change_sent_at",
    "reauthentication_sent_at",
    "last_sign_in_at",
    "banned_until",
    "deleted_at",
)


@dataclass(frozen=True)
class User:
    """A row of auth.users with its identities and factors, as last read."""

    id: UUID
    aud: str = AUDIENCE
    role: str = ""
    email: str = ""
    phone: str = ""
    encrypted_password: str = ""
    email_confirmed_at: datetime | None = None
    phone_confirmed_at: datetime | None = None
    confirmed_at: datetime | None = None
    invited_at: datetime | None = None
    last_sign_in_at: datetime | None = None
    confirmation_token: str = ""
    confirmation_sent_at: datetime | None = None
    recovery_token: str = ""
    recovery_sent_at: datetime | None = None
    email_change: str = ""
    email_change_token_current: str = ""
    email_change_token_new: str = ""
    email_change_sent_at: datetime | None = None
    email_change_confirm_status: int = 0
    phone_change: str = ""
    phone_change_token: str = ""
    phone_change_sent_at: datetime | None = None
    reauthentication_token: str = ""
    reauthentication_sent_at: datetime | None = None
    app_metadata: dict[str, Any] | None = None
    user_metadata: dict[str, Any] | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    banned_until: datetime | None = None
    deleted_at: datetime | None = None
    is_sso_user: bool = False
    is_anonymous: bool = False
    identities: tuple[Identity, ...] = ()
    factors: tuple[Factor, ...] = ()

    @property
    def is_confirmed(self) -> bool:
        """Whether the e-mail address is."""
        return self.email_confirmed_at is not None

    @property
    def is_phone_confirmed(self) -> bool:
        """Whether the telephone number is."""
        return self.phone_confirmed_at is not None

    @property
    def is_banned(self) -> bool:
        """Whether a ban holds now."""
        return self.banned_until is not None and self.banned_until > timestamps.now()

    @property
    def has_password(self) -> bool:
        """Whether they can sign in with one."""
        return self.encrypted_password != ""

    @property
    def has_verified_factor(self) -> bool:
        """Whether they can prove themselves twice."""
        return any(factor.is_verified for factor in self.factors)

    def identity(self, provider: str) -> Identity | None:
        """Their identity at `provider`, under the account's own id."""
        found = (
            each
            for each in self.identities
            if (each.provider, each.provider_id) == (provider, str(self.id))
        )
        return next(found, None)

    def as_dict(self) -> dict[str, Any]:
        """For the clients: what is unset is left out, but e-mail and phone are blank."""
        answer: dict[str, Any] = {
            "id": str(self.id),
            "aud": self.aud,
            "role": self.role,
            "email": self.email,
            "phone": self.phone,
            "app_metadata": self.app_metadata or {},
            "user_metadata": self.user_metadata or {},
            "identities": [each.as_dict() for each in self.identities],
            "created_at": timestamps.rfc3339(self.created_at or timestamps.now()),
            "updated_at": timestamps.rfc3339(self.updated_at or timestamps.now()),
            "is_anonymous": self.is_anonymous,
        }
        for name in PUBLIC_MOMENTS:
            if (moment := getattr(self, name)) is not None:
                answer[name] = timestamps.rfc3339(moment)
        if self.email_change:
            answer["new_email"] = self.email_change
        if self.phone_change:
            answer["new_phone"] = self.phone_change
        if self.factors:
            answer["factors"] = [factor.as_dict() for factor in self.factors]
        return answer


_NAMES = {field.name for field in fields(User)}


def from_row(row: Row) -> User:
    """A user as stored; a row that the real service could not read is refused."""
    nulls = [name for name in NEVER_NULL if row[name] is None]
    if nulls:
        log.error("auth.users %s holds null in %s; use ''", row["id"], ", ".join(nulls))
        raise broken("Database error querying schema")
    return User(**{name: value for name, value in row.items() if name in _NAMES})


async def find(db: Connection, user_id: UUID) -> User | None:
    """The account with this id."""
    return await _find(db, "id = %s", user_id)


async def lock(db: Connection, user_id: UUID) -> User | None:
    """The account with this id, which nobody else changes until the transaction ends."""
    return await _find(db, "id = %s for no key update", user_id)


async def find_by_email(db: Connection, email: str) -> User | None:
    """The account with this address; SSO accounts do not count."""
    condition: LiteralString = "lower(email) = lower(%s) and aud = %s and not is_sso_user"
    return await _find(db, condition, email, AUDIENCE)


async def find_by_phone(db: Connection, phone: str, *, is_pending: bool = False) -> User | None:
    """The account with this number, or that is about to have it; SSO accounts do not count."""
    if is_pending:
        condition: LiteralString = "phone_change = %s and aud = %s and not is_sso_user"
    else:
        condition = "phone = %s and aud = %s and not is_sso_user"
    return await _find(db, condition, phone, AUDIENCE)


async def find_email_owner(
    db: Connection, email: str, *, besides: UUID | None = None
) -> User | None:
    """Whoever holds `email` as account or identity, other than `besides`."""
    values = {"aud": AUDIENCE, "email": email, "except_id": besides}
    row = await first(db, query("find_email_owner"), values)
    return await find(db, row["id"]) if row else None


async def create(db: Connection, user: User) -> User:
    """Insert the account, then give it its role, as the real service does in two steps."""
    values = {
        **{name: getattr(user, name) for name in ("id", "aud", "email", "phone", "is_anonymous")},
        "encrypted_password": user.encrypted_password,
        "app_metadata": Jsonb(user.app_metadata or {}),
        "user_metadata": Jsonb(user.user_metadata or {}),
        "created_at": timestamps.now(),
    }
    await db.execute(query("insert_user"), values)
    return await change(db, user, role=user.role or AUDIENCE)


async def change(db: Connection, user: User, **columns: Any) -> User:
    """Write these columns; the account as it is afterwards."""
    assignments = [
        sql.SQL("{} = {}").format(sql.Identifier(COLUMNS.get(name, name)), sql.Placeholder(name))
        for name in columns
    ]
    statement = sql.SQL(
        "update auth.users set {}, updated_at = now() where id = {} returning {}"
    ).format(sql.SQL(", ").join(assignments), user.id, sql.SQL(query("user_columns")))
    values = {name: _column_value(name, value) for name, value in columns.items()}
    row = await (await db.execute(statement, values)).fetchone()
    if row is None:
        raise broken("Database error updating user")
    return replace(from_row(row), identities=user.identities, factors=user.factors)


async def reload(db: Connection, user: User) -> User:
    """The account as stored now, identities and factors included."""
    found = await find(db, user.id)
    if found is None:
        raise broken("Database error finding user")
    return found


async def merge(
    db: Connection,
    user: User,
    *,
    app_metadata: dict[str, Any] | None = None,
    user_metadata: dict[str, Any] | None = None,
) -> User:
    """Write keys over the metadata, one level deep; null removes a key."""
    columns = {}
    if app_metadata is not None:
        columns["app_metadata"] = _merged(user.app_metadata, app_metadata)
    if user_metadata is not None:
        columns["user_metadata"] = _merged(user.user_metadata, user_metadata)
    return await change(db, user, **columns) if columns else user


async def list_providers(db: Connection, user: User) -> User:
    """Let app_metadata name the providers of the identities there are."""
    user = replace(user, identities=await identities.of_user(db, user.id))
    providers = list(dict.fromkeys(identity.provider for identity in user.identities))
    stated: dict[str, Any] = {"providers": providers}
    if providers:
        stated["provider"] = providers[0]
    return await merge(db, user, app_metadata=stated)


async def search(
    db: Connection, text: str, *, limit: int, offset: int, oldest_first: bool = False
) -> tuple[list[User], int]:
    """A page of accounts whose address or full name holds `text`, and how many there are.

    They come without identities and factors.
    """
    values = {"aud": AUDIENCE, "pattern": f"%{text}%", "limit": limit, "offset": offset}
    condition = sql.SQL(query("search_users"))
    count = sql.SQL("select count(*) from auth.users where {}").format(condition)
    page = sql.SQL(
        "select {} from auth.users where {} order by created_at {}, id "
        "limit %(limit)s offset %(offset)s"
    ).format(sql.SQL(query("user_columns")), condition, sql.SQL("asc" if oldest_first else "desc"))
    total = await (await db.execute(count, values)).fetchone()
    rows = await (await db.execute(page, values)).fetchall()
    return [from_row(row) for row in rows], total["count"] if total else 0


def with_id(user: User, user_id: UUID) -> User:
    """The same account under another id."""
    return replace(user, id=user_id)


def draft(**columns: Any) -> User:
    """An account not yet stored."""
    moment = timestamps.now()
    return User(id=uuid4(), created_at=moment, updated_at=moment, **columns)


async def _find(db: Connection, condition: LiteralString, *values: Any) -> User | None:
    statement = sql.SQL("select {} from auth.users where instance_id = %s and {}").format(
        sql.SQL(query("user_columns")), sql.SQL(condition)
    )
    row = await (await db.execute(statement, (INSTANCE, *values))).fetchone()
    if row is None:
        return None
    return replace(
        from_row(row),
        identities=await identities.of_user(db, row["id"]),
        factors=await factors.of_user(db, row["id"]),
    )


def _column_value(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return Jsonb(value)
    return None if name in BLANK_IS_NULL and value == "" else value


def _merged(old: dict[str, Any] | None, new: dict[str, Any]) -> dict[str, Any]:
    both = {**(old or {}), **new}
    return {name: value for name, value in both.items() if value is not None}
