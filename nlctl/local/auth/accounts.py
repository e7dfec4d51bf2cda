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
    text_messages,
    timestamps,
    users,
)
from nlctl.local.auth.errors import broken, unprocessable

if TYPE_CHECKING:
    from uuid import UUID

    from nlctl.local.auth.calls import Call
    from nlctl.local.auth.config import AuthConfig
    from nlctl.local.auth.database import Connection
    from nlctl.local.auth.flows import Challenge
    from nlctl.local.auth.users import User

ADDRESS_KEYS = {"users_email_partial_key", "users_phone_key"}


@dataclass(frozen=True)
class Application:
    """Somebody who wants an account, under an address or a telephone number."""

    email: str
    password: str
    data: dict[str, Any]
    challenge: Challenge | None = None
    phone: str = ""

    @property
    def provider(self) -> str:
        """What they would sign in with."""
        return "phone" if self.phone else "email"

    def draft(self, encrypted_password: str) -> User:
        """The account they would get."""
        return users.draft(
            email=self.email,
            phone=self.phone,
            encrypted_password=encrypted_password,
            app_metadata={"provider": self.provider, "providers": [self.provider]},
            user_metadata=dict(self.data),
        )


@dataclass(frozen=True)
class Outcome:
    """What became of an application."""

    user: User
    is_repeated: bool = False


def check_open(config: AuthConfig) -> None:
    """Refuse newcomers where the project takes none."""
    if not config.allow_sign_up:
        raise unprocessable("signup_disabled", "Signups not allowed for this instance")


async def sign_up(call: Call, application: Application) -> Outcome:
    """Make the account, or ask again for confirmation of the one that waits for it."""
    known = await _find_owner(call, application)
    if known is None:
        draft = application.draft(await passwords.digest(application.password))
        await hooks.allow_user(call, draft)
        created = await _create_unless_known(call, application, draft)
        if created:
            return created
        known = await _find_owner(call, application)
    if known is None:
        raise broken("Database error finding user")
    return await _sign_up_again(call, application, known)


async def create(db: Connection, user: User) -> User:
    """Store an account that a server describes, with an identity by its address."""
    user = await insert(db, user)
    data = identities.claims(user.id, email=user.email)
    return replace(user, identities=(await identities.create(db, user.id, "email", data),))


async def insert(db: Connection, user: User) -> User:
    """Store an account; what a trigger of the project refuses is told as the real service does."""
    try:
        return await users.create(db, user)
    except psycopg.errors.UniqueViolation as error:
        if error.diag.constraint_name in ADDRESS_KEYS:
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


async def take_phone(db: Connection, user: User) -> User:
    """Make the number that was asked for the account's own."""
    await audit.record(db, user, "user_modified")
    number = user.phone_change
    user = await set_phone(db, user, number, is_verified=True)
    user = await users.change(
        db, user, phone_change="", phone_change_token="", phone_confirmed_at=timestamps.now()
    )
    await one_time_tokens.forget_all(db, user.id)
    return user


async def _create_unless_known(call: Call, application: Application, draft: User) -> Outcome | None:
    """The new account, or None where somebody took the address meanwhile."""
    try:
        async with call.transaction() as db:
            user = await _identify(db, await insert(db, draft), application.provider)
            return Outcome(await _ask_confirmation(call, db, user, application))
    except psycopg.errors.UniqueViolation:
        return None


async def _find_owner(call: Call, application: Application) -> User | None:
    async with call.transaction() as db:
        if application.phone:
            return await users.find_by_phone(db, application.phone)
        return await users.find_email_owner(db, application.email)


async def _sign_up_again(call: Call, application: Application, known: User) -> Outcome:
    provider = application.provider
    async with call.transaction() as db:
        user = await users.lock(db, known.id)
        if user is None:
            raise broken("Database error finding user")
        if user.is_phone_confirmed if application.phone else user.is_confirmed:
            await audit.record(db, user, "user_repeated_signup", provider=provider)
            return Outcome(user, is_repeated=True)
        if user.identity(provider) is None:
            user = await _identify(db, user, provider)
        return Outcome(await _ask_confirmation(call, db, user, application))


async def _identify(db: Connection, user: User, provider: str) -> User:
    """Give a newcomer an identity with all they said; their metadata then says the same."""
    stated = user.user_metadata or {}
    data = {**stated, **identities.claims(user.id, email=user.email)}
    identity = await identities.create(db, user.id, provider, data)
    user = await users.change(db, user, user_metadata=data)
    return replace(user, identities=(identity,))


async def _ask_confirmation(
    call: Call, db: Connection, user: User, application: Application
) -> User:
    config, provider = call.config, application.provider
    if application.phone and not config.confirm_phone:
        await audit.record(db, user, "user_signedup", provider=provider)
        return await confirm_phone(db, user)
    if application.email and not config.confirm_email:
        await audit.record(db, user, "user_signedup", provider=provider)
        return await confirm(db, user)
    await audit.record(db, user, "user_confirmation_requested", provider=provider)
    if application.phone:
        return await text_messages.send(call, db, user, application.phone, "confirmation")
    challenge = application.challenge
    await flows.begin(db, user.id, challenge, "email", "email/signup")
    return await letters.send(call, db, user, letters.CONFIRMATION, pkce=challenge is not None)


def placeholder(application: Application) -> User:
    """What a repeated sign-up sees: an account like a new one, which does not exist."""
    return replace(application.draft(""), confirmation_sent_at=timestamps.now())


def check_email_allowed(config: AuthConfig) -> None:
    """Refuse where the project has switched e-mail off."""
    if not config.allow_email:
        raise unprocessable("email_provider_disabled", "Email logins are disabled")
