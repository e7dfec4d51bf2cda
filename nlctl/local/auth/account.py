"""/user, /logout and identities: what signed-in people do with their own account."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from nlctl.local.auth import (
    accounts,
    audit,
    callers,
    calls,
    flows,
    identities,
    letters,
    one_time_tokens,
    passwords,
    sessions,
    text_messages,
    timestamps,
    users,
    verification,
)
from nlctl.local.auth.config import PROVIDERS
from nlctl.local.auth.errors import (
    DUPLICATE_EMAIL,
    DUPLICATE_PHONE,
    Refusal,
    bad_request,
    forbidden,
    invalid,
    not_found,
    too_often,
    unprocessable,
)

if TYPE_CHECKING:
    from nlctl.local.auth.callers import Caller
    from nlctl.local.auth.calls import Call
    from nlctl.local.auth.database import Connection
    from nlctl.local.auth.identities import Identity
    from nlctl.local.auth.users import User

RECENT_SECONDS = 24 * 3600
BAD_NONCE = "Nonce has expired or is invalid"


async def show(call: Call) -> Response:
    """GET /user."""
    async with call.transaction() as db:
        caller = await callers.require(call, db)
    return JSONResponse(caller.user.as_dict())


async def sign_out(call: Call) -> Response:
    """POST /logout: here, elsewhere or everywhere."""
    scope = call.query("scope") or "global"
    async with call.transaction() as db:
        caller = await callers.require(call, db)
        if scope not in {"global", "local", "others"}:
            raise invalid(f'Unsupported logout scope "{scope}"')
        await audit.record(db, caller.user, "logout")
        if caller.session and scope == "local":
            await sessions.close(db, caller.session.id)
        elif caller.session and scope == "others":
            await sessions.close_others(db, caller.user.id, caller.session.id)
        else:
            await sessions.close_all(db, caller.user.id)
    return Response(status_code=204)


async def change(call: Call) -> Response:
    """PUT /user: address, password and metadata."""
    async with call.transaction() as db:
        caller = await callers.require(call, db)
    address = call.body.text("email")
    if address:
        address = calls.email(address)
    number = call.body.text("phone")
    if number:
        number = calls.phone(number)
        text_messages.check_channel(call)
    password = call.body.optional_text("password")
    if password is not None:
        passwords.check(call.config, password)
    _check_rights(call, caller, Wish(address, number, password or ""))
    if password:
        await _check_password(call, caller, password)
    digest = await passwords.digest(password) if password else None
    async with call.transaction() as db:
        user = await users.lock(db, caller.user.id)
        if user is None:
            raise forbidden("user_not_found", "User from sub claim in JWT does not exist")
        user = await _apply(call, db, caller, user, Wish(address, number), digest)
    return JSONResponse(user.as_dict())


async def unlink(call: Call) -> Response:
    """DELETE /user/identities/{identity_id}: one way less to sign in, never the last."""
    async with call.transaction() as db:
        caller = await callers.require(call, db)
        _check_linking_allowed(call)
        identity_id = call.path_id("identity_id")
        user = await users.lock(db, caller.user.id) or caller.user
        if len(user.identities) <= 1:
            message = "User must have at least 1 identity after unlinking"
            raise unprocessable("single_identity_not_deletable", message)
        identity = next((each for each in user.identities if each.id == identity_id), None)
        if identity is None:
            raise unprocessable("identity_not_found", "Identity doesn't exist")
        await _remove(call, db, user, identity)
    return JSONResponse({})


async def link(call: Call) -> Response:
    """GET /user/identities/authorize: there is no provider to link with."""
    async with call.transaction() as db:
        await callers.require(call, db)
    _check_linking_allowed(call)
    return await refuse_provider(call)


async def refuse_provider(call: Call) -> Response:
    """GET /authorize: nobody else signs people in here."""
    name = call.query("provider")
    reason = (
        "provider is not enabled" if name in PROVIDERS else f"Provider {name} could not be found"
    )
    raise invalid(f"Unsupported provider: {reason}")


def _check_linking_allowed(call: Call) -> None:
    if not call.config.allow_manual_linking:
        raise not_found("manual_linking_disabled", "Manual linking is disabled")


@dataclass(frozen=True)
class Wish:
    """What somebody wants to sign in with; blank is as before."""

    email: str
    phone: str
    password: str = ""

    def changes_address(self, user: User) -> bool:
        """Whether it is not what they sign in with now."""
        return (self.email not in {"", user.email}) or (self.phone not in {"", user.phone})


def _check_rights(call: Call, caller: Caller, wish: Wish) -> None:
    user = caller.user
    is_sensitive = bool(wish.password) or wish.changes_address(user)
    if call.body.record("app_metadata") is not None:
        message = "Updating app_metadata requires admin privileges"
        raise forbidden("not_admin", message)
    if user.has_verified_factor and not caller.is_twice_proved and is_sensitive:
        raise Refusal(
            401,
            "insufficient_aal",
            "AAL2 session is required to update email or password when MFA is enabled.",
        )
    if user.is_anonymous and wish.password and not (wish.email or wish.phone):
        message = "Updating password of an anonymous user without an email or phone is not allowed"
        raise unprocessable("validation_failed", message)
    if user.is_sso_user and (is_sensitive or call.body.text("nonce")):
        message = "Updating email, phone, password of a SSO account only possible via SSO"
        raise unprocessable("user_sso_managed", message)


async def _check_password(call: Call, caller: Caller, password: str) -> None:
    session = caller.session
    is_recent = session is not None and not timestamps.is_past(session.created_at, RECENT_SECONDS)
    if call.config.secure_password_change and not is_recent:
        await _check_nonce(call, caller.user)
    if await passwords.matches(password, caller.user.encrypted_password):
        message = "New password should be different from the old password."
        raise unprocessable("same_password", message)


async def _check_nonce(call: Call, user: User) -> None:
    nonce = call.body.text("nonce")
    if not nonce:
        message = "Password update requires reauthentication"
        raise bad_request("reauthentication_needed", message)
    key = f"{user.id} nonce"
    if not call.service.guesses.take(key):
        raise too_often("over_request_rate_limit", "Request rate limit reached")
    hashed = one_time_tokens.digest(user.email or user.phone, nonce)
    is_right = hmac.compare_digest(hashed, user.reauthentication_token)
    if not is_right or timestamps.is_past(user.reauthentication_sent_at, call.config.otp_expiry):
        raise unprocessable("reauthentication_not_valid", BAD_NONCE)
    call.service.guesses.give_back(key)
    async with call.transaction() as db:
        await users.change(db, user, reauthentication_token="")
        await one_time_tokens.forget_all(db, user.id)


async def _apply(
    call: Call, db: Connection, caller: Caller, user: User, wish: Wish, digest: str | None
) -> User:
    if digest:
        kept = caller.session.id if caller.session else None
        user = await accounts.set_password(db, user, digest, keep_session=kept)
        await audit.record(db, user, "user_updated_password")
    user = await users.merge(db, user, user_metadata=call.body.record("data"))
    if wish.email not in {"", user.email}:
        user = await _change_address(call, db, user, wish.email)
    if wish.phone not in {"", user.phone}:
        user = await _change_number(call, db, user, wish.phone)
    await audit.record(db, user, "user_modified")
    return user


async def _change_address(call: Call, db: Connection, user: User, address: str) -> User:
    if await users.find_email_owner(db, address, besides=user.id):
        raise unprocessable("email_exists", DUPLICATE_EMAIL)
    if user.is_anonymous and not call.config.confirm_email:
        # Much like signing up, which is not confirmed here either.
        user = await users.change(db, user, email_change=address)
        return await users.reload(db, await verification.change_address(db, user))
    challenge = flows.read_challenge(call.body)
    await flows.begin(db, user.id, challenge, "email_change", "email_change")
    return await letters.send_email_change(call, db, user, address, pkce=challenge is not None)


async def _change_number(call: Call, db: Connection, user: User, number: str) -> User:
    if await users.find_by_phone(db, number):
        raise unprocessable("phone_exists", DUPLICATE_PHONE)
    if call.config.confirm_phone:
        return await text_messages.send(call, db, user, number, "phone_change")
    user = await users.change(db, user, phone_change=number)
    return await users.reload(db, await accounts.take_phone(db, user))


async def _remove(call: Call, db: Connection, user: User, identity: Identity) -> None:
    await audit.record(
        db,
        user,
        "identity_unlinked",
        ip=call.ip,
        identity_id=str(identity.id),
        provider=identity.provider,
        provider_id=identity.provider_id,
    )
    await identities.delete(db, identity)
    if identity.provider == "phone":
        user = await users.change(db, user, phone="", phone_confirmed_at=None)
    else:
        user = await _promote_address(call, db, user, identity)
    await users.list_providers(db, user)


async def _promote_address(call: Call, db: Connection, user: User, removed: Identity) -> User:
    """Where the account's address went with the identity, take that of another."""
    left = [each for each in user.identities if each.id != removed.id]
    if any(each.email == user.email for each in left):
        return user
    ranked = sorted(left, key=lambda each: (not each.email, not each.is_email_verified))
    for candidate in ranked:
        owner = await users.find_by_email(db, candidate.email) if candidate.email else None
        if owner is None:
            return await _take_address(call, db, user, candidate)
    raise unprocessable(
        "email_conflict_identity_not_deletable", "Unable to unlink identity due to email conflict"
    )


async def _take_address(call: Call, db: Connection, user: User, identity: Identity) -> User:
    await one_time_tokens.forget_all(db, user.id)
    user = await users.change(db, user, email=identity.email)
    is_trusted = identity.is_email_verified or not call.config.confirm_email
    if identity.email and is_trusted:
        return user
    user = await users.change(db, user, email_confirmed_at=None)
    return await users.merge(db, user, user_metadata={"email_verified": False})
