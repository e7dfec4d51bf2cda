"""Accounts: making them, and the steps from unknown to confirmed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import psycopg

from nlctl.local.auth import (
    audit,
    flows,
    hooks,
    identities,
    letters,
    one_time_tokens,
    passwords,
    sessions,
    timestamps,
    users,
)
from nlctl.local.auth.errors import bad_request, broken, invalid, unprocessable

if TYPE_CHECKING:
    from uuid import UUID

    from nlctl.local.auth.calls import Call
    from nlctl.local.auth.config import AuthConfig
    from nlctl.local.auth.database import Connection
    from nlctl.local.auth.flows import Challenge
    from nlctl.local.auth.users import User

EMAIL_KEY = "users_email_partial_key"


@dataclass(frozen=True)
class Application:
    """Somebody who wants an account."""

    email: str
    password: str
    data: dict[str, Any]
    challenge: Challenge | None = None

    def draft(self, encrypted_password: str) -> User:
        """The account they would get."""
        return users.draft(
            email=self.email,
            encrypted_password=encrypted_password,
            app_metadata={"provider": "email", "providers": ["email"]},
            user_metadata=dict(self.data),
        )


@dataclass(frozen=True)
class Outcome:
    """What became of an application."""

    user: User
    is_repeated: bool = False


async def sign_up(call: Call, application: Application) -> Outcome:
    """Make the account, or ask again for confirmation of the one that waits for it."""
    config = call.config
    if not config.allow_sign_up:
        raise unprocessable("signup_disabled", "Signups not allowed for this instance")
    if not application.password:
        raise invalid("Signup requires a valid password")
    passwords.check(config, application.password)
    if not config.allow_email:
        raise bad_request("email_provider_disabled", "Email signups are disabled")

    async with call.transaction() as db:
        known = await users.find_email_owner(db, application.email)
    if known is None:
        draft = application.draft(await passwords.digest(application.password))
        await hooks.allow_user(call, draft)
        created = await _create_unless_known(call, application, draft)
        if created:
            return created
        async with call.transaction() as db:
            known = await users.find_email_owner(db, application.email)
    if known is None:
        raise broken("Database error finding user")
    return await _sign_up_again(call, application, known)


async def create(db: Connection, user: User) -> User:
    """Store an account with its first identity."""
    user = await insert(db, user)
    return await _identify(db, user)


async def insert(db: Connection, user: User) -> User:
    """Store an account; what a trigger of the project refuses is told as the real service does."""
    try:
        return await users.create(db, user)
    except psycopg.errors.UniqueViolation as error:
        if error.diag.constraint_name == EMAIL_KEY:
            raise
        raise broken("Database error saving new user") from error
    except psycopg.Error as error:
        raise broken("Database error saving new user") from error


async def confirm(db: Connection, user: User) -> User:
    """The e-mail address is theirs."""
    user = await users.change(db, user, confirmation_token="", email_confirmed_at=timestamps.now())
    user = await users.merge(db, user, user_metadata={"email_verified": True})
    await one_time_tokens.forget_all(db, user.id)
    return user


async def confirm_phone(db: Connection, user: User) -> User:
    """The telephone number is theirs."""
    user = await users.change(db, user, confirmation_token="", phone_confirmed_at=timestamps.now())
    await one_time_tokens.forget_all(db, user.id)
    return user


async def set_password(
    db: Connection, user: User, digest: str, *, keep_session: UUID | None = None
) -> User:
    """Change the password; what was sent before counts no more, and other sessions end."""
    user = await users.change(
        db,
        user,
        encrypted_password=digest,
        confirmation_token="",
        confirmation_sent_at=None,
        recovery_token="",
        recovery_sent_at=None,
        email_change_token_current="",
        email_change_token_new="",
        email_change_sent_at=None,
        phone_change_token="",
        phone_change_sent_at=None,
        reauthentication_token="",
        reauthentication_sent_at=None,
    )
    await one_time_tokens.forget_all(db, user.id)
    if keep_session is None:
        await sessions.close_all(db, user.id)
    else:
        await sessions.close_others(db, user.id, keep_session)
    return user


async def set_email(db: Connection, user: User, email: str, *, is_verified: bool) -> User:
    """Write the address into the account and its e-mail identity, made where there is none."""
    identity = user.identity("email")
    if identity:
        await identities.state(db, identity, email=email, email_verified=is_verified)
    else:
        data = identities.claims(user.id, email=email, email_verified=is_verified)
        await identities.create(db, user.id, "email", data)
    columns: dict[str, Any] = {"email": email}
    if user.is_anonymous and is_verified:
        columns["is_anonymous"] = False
    return await users.change(db, user, **columns)


async def set_phone(db: Connection, user: User, phone: str, *, is_verified: bool) -> User:
    """Write the number into the account and its phone identity, made where there is none."""
    identity = user.identity("phone")
    if identity:
        await identities.state(db, identity, phone=phone, phone_verified=is_verified)
    else:
        data = identities.claims(user.id, phone=phone, phone_verified=is_verified)
        await identities.create(db, user.id, "phone", data)
    columns: dict[str, Any] = {"phone": phone}
    if user.is_anonymous and is_verified:
        columns["is_anonymous"] = False
    return await users.change(db, user, **columns)


async def _create_unless_known(call: Call, application: Application, draft: User) -> Outcome | None:
    """The new account, or None where somebody took the address meanwhile."""
    try:
        async with call.transaction() as db:
            user = await create(db, draft)
            return Outcome(await _ask_confirmation(call, db, user, application))
    except psycopg.errors.UniqueViolation:
        return None


async def _sign_up_again(call: Call, application: Application, known: User) -> Outcome:
    async with call.transaction() as db:
        user = await users.lock(db, known.id)
        if user is None:
            raise broken("Database error finding user")
        if user.is_confirmed:
            await audit.record(db, user, "user_repeated_signup", provider="email")
            return Outcome(user, is_repeated=True)
        if user.identity("email") is None:
            user = await _identify(db, user)
        return Outcome(await _ask_confirmation(call, db, user, application))


async def _identify(db: Connection, user: User) -> User:
    """Give an account its e-mail identity; the metadata then says what the identity says."""
    stated = user.user_metadata or {}
    data = {**stated, **identities.claims(user.id, email=user.email)}
    identity = await identities.create(db, user.id, "email", data)
    user = await users.change(db, user, user_metadata=data)
    return replace(user, identities=(identity,))


async def _ask_confirmation(
    call: Call, db: Connection, user: User, application: Application
) -> User:
    if not call.config.confirm_email:
        await audit.record(db, user, "user_signedup", provider="email")
        return await confirm(db, user)
    await audit.record(db, user, "user_confirmation_requested", provider="email")
    challenge = application.challenge
    await flows.begin(db, user.id, challenge, "email", "email/signup")
    return await letters.send(call, db, user, letters.CONFIRMATION, pkce=challenge is not None)


def placeholder(application: Application) -> User:
    """What a repeated sign-up sees: an account like a new one, which does not exist."""
    return users.draft(
        email=application.email,
        confirmation_sent_at=timestamps.now(),
        app_metadata={"provider": "email", "providers": ["email"]},
        user_metadata=application.data,
    )


def check_email_allowed(config: AuthConfig, message: str = "Email logins are disabled") -> None:
    """Refuse where the project has switched e-mail off."""
    if not config.allow_email:
        raise unprocessable("email_provider_disabled", message)
