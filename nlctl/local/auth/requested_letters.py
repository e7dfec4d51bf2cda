"""POST /otp, /magiclink, /recover, /resend and GET /reauthenticate: letters people ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from nlctl.local.auth import accounts, audit, callers, calls, flows, letters, passwords, users
from nlctl.local.auth.accounts import Application
from nlctl.local.auth.errors import bad_request, invalid, unprocessable

if TYPE_CHECKING:
    from starlette.responses import Response

    from nlctl.local.auth.calls import Call
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
        raise bad_request("phone_provider_disabled", "Unsupported phone provider")
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
        user = await _sign_up(call, address, challenge)
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
    kind, address = call.body.text("type"), call.body.text("email")
    challenge = _check_resend(call, kind, address)
    async with call.transaction() as db:
        found = await users.find_by_email(db, calls.email(address))
        user = await users.lock(db, found.id) if found else None
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
        if not user.email:
            message = "Reauthentication requires the user to have an email or a phone number"
            raise invalid(message)
        if not user.is_confirmed:
            raise unprocessable("email_not_confirmed", "Please verify your email first.")
        await audit.record(db, user, "user_reauthenticate_requested")
        await letters.send(call, db, user, letters.REAUTHENTICATION)
    return JSONResponse({})


def _check_resend(call: Call, kind: str, address: str) -> Challenge | None:
    if kind not in RESENT:
        raise invalid("Missing one of these types: signup, email_change, sms, phone_change")
    number = call.body.text("phone")
    challenge = flows.read_challenge(call.body)
    if kind == "signup" and not address:
        raise invalid("Type provided requires an email address")
    if kind == "sms" and not number:
        raise invalid("Type provided requires a phone number")
    if address and number:
        raise invalid("Only an email address or phone number should be provided.")
    if number:
        raise bad_request("phone_provider_disabled", "Phone logins are disabled")
    if not address:
        raise invalid("Missing email address or phone number")
    if not call.config.allow_email:
        raise bad_request("email_provider_disabled", "Email logins are disabled")
    return challenge


async def _require_known(call: Call, address: str, number: str) -> None:
    async with call.transaction() as db:
        if address:
            known = await users.find_by_email(db, calls.email(address))
        else:
            known = await users.find_by_phone(db, calls.phone(number))
    if known is None:
        raise unprocessable("otp_disabled", "Signups not allowed for otp")


async def _sign_up(call: Call, address: str, challenge: Challenge | None) -> User:
    application = Application(
        email=address,
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
