"""POST /signup: a new account, with an address or without a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from nlctl.local.auth import (
    accounts,
    audit,
    calls,
    flows,
    hooks,
    passwords,
    sessions,
    text_messages,
    users,
)
from nlctl.local.auth.accounts import Application
from nlctl.local.auth.errors import bad_request, invalid, unprocessable

if TYPE_CHECKING:
    from starlette.responses import Response

    from nlctl.local.auth.calls import Call
    from nlctl.local.auth.users import User


async def sign_up(call: Call) -> Response:
    """Answer with a session, or with the account that waits for its confirmation."""
    if not call.body.text("email") and not call.body.text("phone"):
        return await _sign_up_anonymously(call)
    accounts.check_open(call.config)
    application = _read(call)
    outcome = await accounts.sign_up(call, application)
    if outcome.is_repeated:
        return _hide_that_it_exists(call, application)
    if outcome.user.is_confirmed or outcome.user.is_phone_confirmed:
        return await _sign_in(call, outcome.user, application.provider)
    return JSONResponse(_public(outcome.user))


def _read(call: Call) -> Application:
    """The application, checked in the real service's order."""
    config, body = call.config, call.body
    address, number, password = body.text("email"), body.text("phone"), body.text("password")
    if not password:
        raise invalid("Signup requires a valid password")
    passwords.check(config, password)
    if address and number:
        raise invalid("Only an email address or phone number should be provided on signup.")
    if number:
        text_messages.check_channel(call)
    if number and body.text("code_challenge"):
        raise invalid("PKCE not supported for phone signups")
    challenge = flows.read_challenge(body)
    if address and not config.allow_email:
        raise bad_request("email_provider_disabled", "Email signups are disabled")
    if number and not config.allow_phone:
        raise bad_request("phone_provider_disabled", "Phone signups are disabled")
    return Application(
        email=calls.email(address) if address else "",
        phone=calls.phone(number) if number else "",
        password=password,
        data=body.record("data") or {},
        challenge=challenge,
    )


def _hide_that_it_exists(call: Call, application: Application) -> Response:
    config = call.config
    must_confirm = config.confirm_phone if application.phone else config.confirm_email
    if not must_confirm:
        raise unprocessable("user_already_exists", "User already registered")
    return JSONResponse(accounts.placeholder(application).as_dict())


async def _sign_in(call: Call, user: User, provider: str) -> Response:
    async with call.transaction() as db:
        await audit.record(db, user, "login", provider=provider)
        grant = await sessions.open_session(call, db, user, "password")
    return grant.response()


def _public(user: User) -> dict[str, object]:
    shown = user.as_dict()
    if user.invited_at is None:
        return shown
    # Whoever signs up with an invited address is not yet known to be the invited person.
    return {**shown, "user_metadata": {}, "identities": []}


async def _sign_up_anonymously(call: Call) -> Response:
    if not call.config.allow_anonymous:
        message = "Anonymous sign-ins are disabled"
        raise unprocessable("anonymous_provider_disabled", message)
    accounts.check_open(call.config)
    draft = users.draft(
        is_anonymous=True, app_metadata={}, user_metadata=call.body.record("data") or {}
    )
    await hooks.allow_user(call, draft)
    async with call.transaction() as db:
        user = await accounts.insert(db, draft)
        grant = await sessions.open_session(call, db, user, "anonymous")
    return grant.response()
