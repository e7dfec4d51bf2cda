"""POST /otp, /magiclink, /recover, /resend and GET /reauthenticate: what people ask to be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from nlctl.local.auth import (
    accounts,
    audit,
    callers,
    calls,
    flows,
    letters,
    passwords,
    text_messages,
    users,
)
from nlctl.local.auth.accounts import Application
from nlctl.local.auth.errors import bad_request, invalid, unprocessable

if TYPE_CHECKING:
    from starlette.responses import Response

    from nlctl.local.auth.calls import Call
    from nlctl.local.auth.database import Connection
    from nlctl.local.auth.flows import Challenge
    from nlctl.local.auth.users import User

RESENT = {"signup", "email_change", "sms", "phone_change"}


async def send_otp(call: Call) -> Response:
    """A code and a link to sign in with, for an account that may be made first."""
    address, number = call.body.text("email"), call.body.text("phone")
    if address and number:
        raise invalid("Only an email address or phone number should be provided")
    if address and call.body.text("channel"):
        raise invalid("Channel should only be specified with Phone OTP")
    flows.read_challenge(call.body)
    if not call.body.flag("create_user", default=True):
        await _require_known(call, address, number)
    if address:
        return await send_magic_link(call)
    if number:
        return await _text_code(call, number)
    raise invalid("One of email or phone must be set")


async def send_magic_link(call: Call) -> Response:
    """The same for an address, always making the account that is missing."""
    accounts.check_email_allowed(call.config)
    if not call.body.text("email"):
        raise unprocessable("validation_failed", "Password recovery requires an email")
    address = calls.email(call.body.text("email"))
    challenge = flows.read_challenge(call.body)
    async with call.transaction() as db:
        user = await users.find_by_email(db, address)
    if user is None or not user.is_confirmed:
        user = await _sign_up(call, email=address, challenge=challenge)
        if call.config.confirm_email:  # the letter just sent signs in as well
            return JSONResponse({})
    await _send(call, user, letters.MAGIC_LINK, challenge, "magiclink")
    return JSONResponse({})


async def send_recovery(call: Call) -> Response:
    """A link to choose a new password; says nothing about whether the account exists."""
    if not call.config.allow_email:
        raise bad_request("email_provider_disabled", "Email logins are disabled")
    if not call.body.text("email"):
        raise invalid("Password recovery requires an email")
    address = calls.email(call.body.text("email"))
    challenge = flows.read_challenge(call.body)
    async with call.transaction() as db:
        user = await users.find_by_email(db, address)
    if user:
        await _send(call, user, letters.RECOVERY, challenge, "recovery")
    return JSONResponse({})


async def resend(call: Call) -> Response:
    """The last confirmation again; says nothing about whether one is awaited."""
    kind, address, number = (call.body.text(name) for name in ("type", "email", "phone"))
    challenge = _check_resend(call, kind, address, number)
    async with call.transaction() as db:
        found = await _find(db, address, number)
        user = await users.lock(db, found.id) if found else None
        if user and await _resend_text(call, db, user, kind):
            return JSONResponse({"message_id": text_messages.MESSAGE_ID})
        if user and kind == "signup" and not user.is_confirmed:
            await audit.record(db, user, "user_confirmation_requested")
            await flows.begin(db, user.id, challenge, "email/signup", "email/signup")
            await letters.send(call, db, user, letters.CONFIRMATION, pkce=challenge is not None)
        elif user and kind == "email_change" and user.email_change:
            await flows.begin(db, user.id, challenge, "email_change", "email_change")
            await letters.send_email_change(
                call, db, user, user.email_change, pkce=challenge is not None
            )
    return JSONResponse({})


async def reauthenticate(call: Call) -> Response:
    """A code that proves the signed-in person is still the one who reads the letters."""
    async with call.transaction() as db:
        user = (await callers.require(call, db)).user
        _check_reachable(user)
        await audit.record(db, user, "user_reauthenticate_requested")
        if not user.email:
            await text_messages.send(call, db, user, user.phone, "reauthentication")
            return JSONResponse({"message_id": text_messages.MESSAGE_ID})
        await letters.send(call, db, user, letters.REAUTHENTICATION)
    return JSONResponse({})


def _check_reachable(user: User) -> None:
    if not user.email and not user.phone:
        message = "Reauthentication requires the user to have an email or a phone number"
        raise invalid(message)
    if user.email and not user.is_confirmed:
        raise unprocessable("email_not_confirmed", "Please verify your email first.")
    if not user.email and not user.is_phone_confirmed:
        raise unprocessable("phone_not_confirmed", "Please verify your phone first.")


async def _text_code(call: Call, number: str) -> Response:
    """A code by text message, for an account that may be made first."""
    config = call.config
    if not config.allow_phone:
        raise bad_request("phone_provider_disabled", "Unsupported phone provider")
    number = calls.phone(number)
    text_messages.check_channel(call)
    async with call.transaction() as db:
        user = await users.find_by_phone(db, number)
    if user is None or not user.is_phone_confirmed:
        user = await _sign_up(call, phone=number)
        if config.confirm_phone:
            return JSONResponse({})
    async with call.transaction() as db:
        locked = await users.lock(db, user.id)
        if locked:
            await audit.record(db, locked, "user_recovery_requested", channel="sms")
            await text_messages.send(call, db, locked, number, "confirmation")
    return JSONResponse({"message_id": text_messages.MESSAGE_ID})


async def _resend_text(call: Call, db: Connection, user: User, kind: str) -> bool:
    if kind == "sms" and not user.is_phone_confirmed:
        await audit.record(db, user, "user_recovery_requested")
        await text_messages.send(call, db, user, user.phone, "confirmation")
        return True
    if kind == "phone_change" and user.phone_change:
        await text_messages.send(call, db, user, user.phone_change, "phone_change")
        return True
    return False


async def _find(db: Connection, address: str, number: str) -> User | None:
    if address:
        return await users.find_by_email(db, calls.email(address))
    return await users.find_by_phone(db, calls.phone(number))


def _check_resend(call: Call, kind: str, address: str, number: str) -> Challenge | None:
    if kind not in RESENT:
        raise invalid("Missing one of these types: signup, email_change, sms, phone_change")
    challenge = flows.read_challenge(call.body)
    if kind == "signup" and not address:
        raise invalid("Type provided requires an email address")
    if kind == "sms" and not number:
        raise invalid("Type provided requires a phone number")
    if address and number:
        raise invalid("Only an email address or phone number should be provided.")
    if not address and not number:
        raise invalid("Missing email address or phone number")
    if number and not call.config.allow_phone:
        raise bad_request("phone_provider_disabled", "Phone logins are disabled")
    if address and not call.config.allow_email:
        raise bad_request("email_provider_disabled", "Email logins are disabled")
    return challenge


async def _require_known(call: Call, address: str, number: str) -> None:
    async with call.transaction() as db:
        known = await _find(db, address, number) if address or number else None
    if known is None:
        raise unprocessable("otp_disabled", "Signups not allowed for otp")


async def _sign_up(
    call: Call, *, email: str = "", phone: str = "", challenge: Challenge | None = None
) -> User:
    accounts.check_open(call.config)
    application = Application(
        email=email,
        phone=phone,
        password=passwords.generate(call.config),
        data=call.body.record("data") or {},
        challenge=challenge,
    )
    return (await accounts.sign_up(call, application)).user


async def _send(
    call: Call, user: User, purpose: letters.Purpose, challenge: Challenge | None, method: str
) -> None:
    async with call.transaction() as db:
        locked = await users.lock(db, user.id)
        if locked is None:
            return
        await flows.begin(db, user.id, challenge, method, method)
        await audit.record(db, locked, "user_recovery_requested")
        await letters.send(call, db, locked, purpose, pkce=challenge is not None)
