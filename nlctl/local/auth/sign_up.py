"""POST /signup: a new account, with an address or without a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from nlctl.local.auth import accounts, audit, calls, flows, hooks, sessions, users
from nlctl.local.auth.accounts import Application
from nlctl.local.auth.errors import bad_request, invalid, unprocessable

if TYPE_CHECKING:
    from starlette.responses import Response

    from nlctl.local.auth.calls import Call
    from nlctl.local.auth.users import User


async def sign_up(call: Call) -> Response:
    """Answer with a session, or with the account that waits for its confirmation."""
    address, number = call.body.text("email"), call.body.text("phone")
    if not address and not number:
        return await _sign_up_anonymously(call)
    if address and number:
        raise invalid("Only an email address or phone number should be provided on signup.")
    if number:
        raise bad_request("phone_provider_disabled", "Phone signups are disabled")
    application = Application(
        email=calls.email(address),
        password=call.body.text("password"),
        data=call.body.record("data") or {},
        challenge=flows.read_challenge(call.body),
    )
    outcome = await accounts.sign_up(call, application)
    if outcome.is_repeated:
        return _hide_that_it_exists(call, application)
    if outcome.user.is_confirmed:
        return await _sign_in(call, outcome.user)
    return JSONResponse(_public(outcome.user))


def _hide_that_it_exists(call: Call, application: Application) -> Response:
    if not call.config.confirm_email:
        raise unprocessable("user_already_exists", "User already registered")
    return JSONResponse(accounts.placeholder(application).as_dict())


async def _sign_in(call: Call, user: User) -> Response:
    async with call.transaction() as db:
        await audit.record(db, user, "login", provider="email")
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
    if not call.config.allow_sign_up:
        raise unprocessable("signup_disabled", "Signups not allowed for this instance")
    draft = users.draft(
        is_anonymous=True, app_metadata={}, user_metadata=call.body.record("data") or {}
    )
    await hooks.allow_user(call, draft)
    async with call.transaction() as db:
        user = await accounts.insert(db, draft)
        grant = await sessions.open_session(call, db, user, "anonymous")
    return grant.response()
