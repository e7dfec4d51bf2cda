"""POST /token: a session for a password, a refresh token or a PKCE code."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING

from nlctl.local.auth import (
    accounts,
    audit,
    calls,
    flows,
    hooks,
    passwords,
    refresh_tokens,
    sessions,
    timestamps,
    users,
)
from nlctl.local.auth.errors import (
    OAuthRefusal,
    Refusal,
    bad_request,
    invalid,
    not_found,
    too_often,
    unprocessable,
)

if TYPE_CHECKING:
    from uuid import UUID

    from starlette.responses import Response

    from nlctl.local.auth.calls import Call
    from nlctl.local.auth.database import Connection
    from nlctl.local.auth.refresh_tokens import RefreshToken
    from nlctl.local.auth.sessions import Grant
    from nlctl.local.auth.users import User

WRONG_CREDENTIALS = "Invalid login credentials"
PATIENCE_SECONDS = 5
REJECTED_BY_HOOK = "Further password verification attempts will be rejected."


async def give_token(call: Call) -> Response:
    """Answer by the kind of grant."""
    grant = GRANTS.get(call.query("grant_type"))
    if grant is None:
        raise bad_request("invalid_credentials", "unsupported_grant_type")
    return await grant(call)


async def by_password(call: Call) -> Response:
    """A session for a password, and the address or number it belongs to."""
    address, number = call.body.text("email"), calls.digits(call.body.text("phone"))
    password = call.body.text("password")
    if address and number:
        raise invalid("Only an email address or phone number should be provided on login.")
    user = await _find_owner(call, address, number)
    user = await _check_password(call, user, f"{call.ip} {address.lower() or number}", password)
    if address and not user.is_confirmed:
        raise bad_request("email_not_confirmed", "Email not confirmed")
    if number and not user.is_phone_confirmed:
        raise bad_request("phone_not_confirmed", "Phone not confirmed")
    async with call.transaction() as db:
        await audit.record(db, user, "login", provider="email" if address else "phone")
        grant = await sessions.open_session(call, db, user, "password")
    weakness = passwords.find_weakness(call.config, password)
    return grant.response(**_weak_password(weakness))


async def by_code(call: Call) -> Response:
    """A session for the code at the end of a PKCE flow, and proof of its beginning."""
    code, verifier = call.body.text("auth_code"), call.body.text("code_verifier")
    if not code or not verifier:
        raise invalid("invalid request: both auth code and code verifier should be non-empty")
    async with call.transaction() as db:
        flow = await flows.lock(db, code)
        user = await users.find(db, flow.user_id) if flow and flow.user_id else None
        if flow is None or user is None:
            message = "invalid flow state, no valid flow state found"
            raise not_found("flow_state_not_found", message)
        if flow.is_expired:
            message = "invalid flow state, flow state has expired"
            raise unprocessable("flow_state_expired", message)
        if not flow.is_proved_by(verifier):
            message = "code challenge does not match previously saved code verifier"
            raise bad_request("bad_code_verifier", message)
        await audit.record(db, user, "login", provider_type=flow.provider_type)
        grant = await sessions.open_session(call, db, user, flow.authentication_method)
        await flows.end(db, flow)
    return grant.response()


async def by_refresh_token(call: Call) -> Response:
    """The session of a refresh token, with new tokens."""
    token = call.body.text("refresh_token")
    if not refresh_tokens.is_well_formed(token):
        raise invalid("Refresh token is not valid")
    # Waiting here rather than in the database keeps its connections for others.
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        grant = await _refresh_unless_busy(call, token)
        if grant:
            return grant.response()
        await asyncio.sleep(random.uniform(0.01, 0.03))  # noqa: S311
    raise Refusal(
        409,
        "conflict",
        "Too many concurrent token refresh requests on the same session or refresh token",
    )


async def by_id_token(call: Call) -> Response:
    """Refused: nobody else signs people in here."""
    if not call.body.text("id_token"):
        raise OAuthRefusal("invalid request", "id_token required")
    provider, issuer = call.body.text("provider"), call.body.text("issuer")
    if not provider and not (call.body.text("client_id") and issuer):
        raise OAuthRefusal("invalid request", "provider or client_id and issuer required")
    raise bad_request(
        "provider_disabled", f'Provider (issuer "{issuer or provider}") is not enabled'
    )


async def by_wallet(call: Call) -> Response:  # noqa: ARG001 - every grant is asked alike
    """Refused: there is no Web3 here."""
    raise unprocessable("web3_provider_disabled", "Web3 provider is disabled")


GRANTS = {
    "password": by_password,
    "refresh_token": by_refresh_token,
    "pkce": by_code,
    "id_token": by_id_token,
    "web3": by_wallet,
}


async def _find_owner(call: Call, address: str, number: str) -> User | None:
    if address:
        accounts.check_email_allowed(call.config)
    elif number and not call.config.allow_phone:
        raise unprocessable("phone_provider_disabled", "Phone logins are disabled")
    elif not number:
        raise invalid("missing email or phone")
    async with call.transaction() as db:
        if address:
            return await users.find_by_email(db, address)
        return await users.find_by_phone(db, number)


async def _check_password(call: Call, user: User | None, key: str, password: str) -> User:
    """Refuse alike whom we do not know and who gave a wrong password."""
    guesses = call.service.guesses
    if not guesses.take(key):
        raise too_often("over_request_rate_limit", "Request rate limit reached")
    if user is None or not user.has_password:
        raise bad_request("invalid_credentials", WRONG_CREDENTIALS)
    if user.is_banned:
        raise bad_request("user_banned", "User is banned")
    is_right = await passwords.matches(password, user.encrypted_password)
    await _ask_hook(call, user, is_right=is_right)
    if not is_right:
        raise bad_request("invalid_credentials", WRONG_CREDENTIALS)
    guesses.give_back(key)
    return user


async def _ask_hook(call: Call, user: User, *, is_right: bool) -> None:
    event = {"user_id": str(user.id), "valid": is_right}
    answer, is_rejected = await hooks.judge_attempt(call, "password_verification_attempt", event)
    if not is_rejected:
        return
    if answer.get("should_logout_user"):
        async with call.transaction() as db:
            await sessions.close_all(db, user.id)
    raise bad_request("invalid_credentials", str(answer.get("message") or REJECTED_BY_HOOK))


def _weak_password(weakness: Refusal | None) -> dict[str, object]:
    if weakness is None:
        return {}
    return {"weak_password": {"message": weakness.message, **weakness.details["weak_password"]}}


async def _refresh_unless_busy(call: Call, token: str) -> Grant | None:
    """The refreshed session; None while somebody else refreshes it."""
    async with call.transaction() as db:
        found = await refresh_tokens.find(db, token)
        user = await users.find(db, found.user_id) if found else None
        if found is None or user is None:
            message = "Invalid Refresh Token: Refresh Token Not Found"
            raise bad_request("refresh_token_not_found", message)
        await _check_session(call, db, user, found)
        locked = await refresh_tokens.lock(db, token)
        if locked is None or locked.session_id is None:
            return None
        issued = await _rotate(call, db, user, locked, locked.session_id)
        if issued:
            await audit.record(db, user, "token_refreshed")
            await sessions.note_refresh(call, db, locked.session_id)
            return await sessions.grant(call, db, user, locked.session_id, issued, "token_refresh")
    # Said after the commit: what was revoked stays revoked.
    raise bad_request("refresh_token_already_used", "Invalid Refresh Token: Already Used")


async def _check_session(call: Call, db: Connection, user: User, token: RefreshToken) -> None:
    if user.is_banned:
        raise bad_request("user_banned", "Invalid Refresh Token: User Banned")
    session = await sessions.find(db, token.session_id) if token.session_id else None
    if session is None:
        message = "Invalid Refresh Token: No Valid Session Found"
        raise bad_request("session_not_found", message)
    if session.is_over(call.config):
        raise bad_request("session_expired", "Invalid Refresh Token: Session Expired")
    if session.was_left(call.config, token.updated_at):
        message = "Invalid Refresh Token: Session Expired (Inactivity)"
        raise bad_request("session_expired", message)


async def _rotate(
    call: Call, db: Connection, user: User, token: RefreshToken, session_id: UUID
) -> str | None:
    """The token to use next, or None where this one was used before and may be stolen."""
    if not token.revoked:
        return await _swap(db, user, token, session_id)
    active = await refresh_tokens.find_active(db, session_id)
    if active and active.parent == token.token:
        # The client never saw the answer in which it got this one.
        return active.token
    is_recent = not timestamps.is_past(token.updated_at, call.config.refresh_token_reuse_interval)
    if active and is_recent:
        return active.token
    if call.config.rotate_refresh_tokens:
        await refresh_tokens.revoke_family(db, session_id)
    return None


async def _swap(db: Connection, user: User, token: RefreshToken, session_id: UUID) -> str:
    await audit.record(db, user, "token_revoked")
    await refresh_tokens.revoke(db, token)
    return await refresh_tokens.issue(db, user.id, session_id, token.token)
