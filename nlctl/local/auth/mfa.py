"""/factors: second proofs by TOTP, and sessions raised to aal2 by them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID

import pyotp
import segno
from starlette.responses import JSONResponse

from nlctl.local.auth import (
    audit,
    callers,
    calls,
    factors,
    hooks,
    refresh_tokens,
    sessions,
    timestamps,
    users,
)
from nlctl.local.auth.errors import (
    bad_request,
    broken,
    forbidden,
    invalid,
    not_found,
    too_often,
    unprocessable,
)

if TYPE_CHECKING:
    from starlette.responses import Response

    from nlctl.local.auth.callers import Caller
    from nlctl.local.auth.calls import Call
    from nlctl.local.auth.database import Connection
    from nlctl.local.auth.factors import Challenge, Factor
    from nlctl.local.auth.sessions import Grant, Session
    from nlctl.local.auth.users import User

CHALLENGE_SECONDS = 300
NEIGHBOURING_CODES = 1  # the one before and the one after count too
NEVER_MADE = UUID(int=0)  # the challenge meant where none is named
TYPE_NEEDED = "factor_type needs to be totp, phone, or webauthn"
REJECTED_BY_HOOK = "Further MFA verification attempts will be rejected."
TOO_MANY = "Maximum number of verified factors reached, unenroll to continue"


async def enroll(call: Call) -> Response:
    """POST /factors: a secret to scan, which the first right code verifies."""
    async with call.transaction() as db:
        caller = await _require(call, db)
        _check_type(call)
        await factors.delete_stale(db)
        user = await users.lock(db, caller.user.id) or caller.user
        name = call.body.text("friendly_name")
        _check_room(call, user, caller.session, name)
        secret = pyotp.random_base32()
        factor_id = await factors.create_totp(db, user.id, name, secret)
        await audit.record(db, user, "factor_in_progress", ip=call.ip, factor_id=str(factor_id))
    uri = pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=_issuer(call))
    totp = {"qr_code": _draw(uri), "secret": secret, "uri": uri}
    return JSONResponse({"id": str(factor_id), "type": "totp", "friendly_name": name, "totp": totp})


async def challenge(call: Call) -> Response:
    """POST /factors/{factor_id}/challenge: ask for a code."""
    async with call.transaction() as db:
        caller = await _require(call, db)
        factor = _find(call, caller.user)
        _check_verifiable(call, factor)
        asked = await factors.challenge(db, factor, call.ip)
        await audit.record(
            db,
            caller.user,
            "challenge_created",
            ip=call.ip,
            factor_id=str(factor.id),
            factor_status=factor.status,
        )
    expiry = int(asked.created_at.timestamp()) + CHALLENGE_SECONDS
    return JSONResponse({"id": str(asked.id), "type": factor.factor_type, "expires_at": expiry})


async def verify(call: Call) -> Response:
    """POST /factors/{factor_id}/verify: a right code raises the session to aal2."""
    async with call.transaction() as db:
        caller = await _require(call, db)
        factor = _find(call, caller.user)
        code = call.body.text("code")
        if not code:
            raise invalid("Code needs to be non-empty")
        _check_verifiable(call, factor)
    is_right = await _guess(call, caller.user, factor, code)
    async with call.transaction() as db:
        user = await users.lock(db, caller.user.id)
        if user is None or caller.session is None:
            raise forbidden(
                "session_not_found", "Session from session_id claim in JWT does not exist"
            )
        asked = await _find_challenge(call, db, factor)
        if not is_right:
            raise unprocessable("mfa_verification_failed", "Invalid TOTP code entered")
        grant = await _accept(call, db, user, caller.session, factor, asked)
    return grant.response()


async def unenroll(call: Call) -> Response:
    """DELETE /factors/{factor_id}: sessions raised by it fall back to aal1."""
    async with call.transaction() as db:
        caller = await _require(call, db)
        factor = _find(call, caller.user)
        if factor.is_verified and not caller.is_twice_proved:
            message = "AAL2 required to unenroll verified factor"
            raise unprocessable("insufficient_aal", message)
        await factors.delete(db, factor)
        await audit.record(
            db,
            caller.user,
            "factor_unenrolled",
            ip=call.ip,
            factor_id=str(factor.id),
            factor_status=factor.status,
        )
    return JSONResponse({"id": str(factor.id)})


async def _require(call: Call, db: Connection) -> Caller:
    caller = await callers.require(call, db)
    if caller.claims.get("is_anonymous"):
        message = "Anonymous user not allowed to perform these actions"
        raise forbidden("no_authorization", message)
    if caller.session is None:
        raise broken("A valid session and a registered user are required to enroll a factor")
    return caller


def _find(call: Call, user: User) -> Factor:
    factor_id = call.path_id("factor_id")
    factor = next((each for each in user.factors if each.id == factor_id), None)
    if factor is None:
        raise not_found("mfa_factor_not_found", "Factor not found")
    return factor


def _check_type(call: Call) -> None:
    kind = call.body.text("factor_type")
    if kind == "phone":
        message = "MFA enroll is disabled for Phone"
        raise unprocessable("mfa_phone_enroll_not_enabled", message)
    if kind == "webauthn":
        message = "MFA enroll is disabled for WebAuthn"
        raise unprocessable("mfa_webauthn_enroll_not_enabled", message)
    if kind != "totp":
        raise invalid(TYPE_NEEDED)
    if not call.config.allow_totp_enroll:
        raise unprocessable("mfa_totp_enroll_not_enabled", "MFA enroll is disabled for TOTP")


def _check_verifiable(call: Call, factor: Factor) -> None:
    if factor.factor_type == "phone":
        message = "MFA verification is disabled for Phone"
        raise unprocessable("mfa_phone_verify_not_enabled", message)
    if factor.factor_type == "webauthn":
        message = "MFA verification is disabled for WebAuthn"
        raise unprocessable("mfa_webauthn_verify_not_enabled", message)
    if not call.config.allow_totp_verify:
        message = "MFA verification is disabled for TOTP"
        raise unprocessable("mfa_totp_verify_not_enabled", message)


def _check_room(call: Call, user: User, session: Session | None, name: str) -> None:
    if any(factor.friendly_name == name for factor in user.factors):
        message = f'A factor with the friendly name "{name}" for this user already exists'
        raise unprocessable("mfa_factor_name_conflict", message)
    if len(user.factors) >= call.config.maximum_factors:
        raise unprocessable("too_many_enrolled_mfa_factors", TOO_MANY)
    if user.has_verified_factor and not (session and session.is_aal2):
        raise forbidden("insufficient_aal", "AAL2 required to enroll a new factor")


async def _guess(call: Call, user: User, factor: Factor, code: str) -> bool:
    """Whether the code is right; somebody who tries too many has to wait."""
    key = f"{factor.id} totp"
    if not call.service.guesses.take(key):
        raise too_often("over_request_rate_limit", "Request rate limit reached")
    is_right = pyotp.TOTP(factor.secret).verify(code, valid_window=NEIGHBOURING_CODES)
    if is_right:
        call.service.guesses.give_back(key)
    event = {
        "user_id": str(user.id),
        "factor_id": str(factor.id),
        "factor_type": factor.factor_type,
        "valid": is_right,
    }
    answer, is_rejected = await hooks.judge_attempt(call, "mfa_verification_attempt", event)
    if is_rejected:
        async with call.transaction() as db:
            await sessions.close_all(db, user.id)
        message = str(answer.get("message") or REJECTED_BY_HOOK)
        raise forbidden("mfa_verification_rejected", message)
    return is_right


async def _find_challenge(call: Call, db: Connection, factor: Factor) -> Challenge:
    named = call.body.optional_text("challenge_id")
    challenge_id = NEVER_MADE if named is None else calls.parse_uuid(named)
    if challenge_id is None:
        raise bad_request(
            "bad_json", "Could not parse request body as JSON: challenge_id must be a UUID"
        )
    asked = await factors.find_challenge(db, factor, challenge_id)
    if asked is None:
        message = "MFA factor with the provided challenge ID not found"
        raise unprocessable("mfa_factor_not_found", message)
    if asked.verified_at is not None or asked.ip_address != call.ip:
        message = "Challenge and verify IP addresses mismatch."
        raise unprocessable("mfa_ip_address_mismatch", message)
    if timestamps.is_past(asked.created_at, CHALLENGE_SECONDS):
        message = (
            f"MFA challenge {asked.id} has expired, verify against another challenge or create "
            "a new challenge."
        )
        raise unprocessable("mfa_challenge_expired", message)
    return asked


async def _accept(
    call: Call, db: Connection, user: User, session: Session, factor: Factor, asked: Challenge
) -> Grant:
    await audit.record(
        db,
        user,
        "verification_attempted",
        ip=call.ip,
        factor_id=str(factor.id),
        challenge_id=str(asked.id),
        factor_type=factor.factor_type,
    )
    await factors.answer(db, asked)
    if not factor.is_verified:
        await factors.verify(db, factor)
    await sessions.raise_level(db, session.id, factor.id, factors.METHODS[factor.factor_type])
    token = await _renew(db, user, session)
    await sessions.close_below_aal2(db, user.id)
    await factors.delete_unverified(db, user.id, factor.factor_type)
    user = await users.reload(db, user)
    return await sessions.grant(call, db, user, session.id, token, "totp")


async def _renew(db: Connection, user: User, session: Session) -> str:
    """A new refresh token, in place of the one from before the second proof."""
    active = await refresh_tokens.find_active(db, session.id)
    if active is None:
        raise forbidden("session_not_found", "Session from session_id claim in JWT does not exist")
    await audit.record(db, user, "token_revoked")
    await refresh_tokens.revoke(db, active)
    return await refresh_tokens.issue(db, user.id, session.id, active.token)


def _issuer(call: Call) -> str:
    return call.body.text("issuer") or urlsplit(call.config.site_url).netloc


def _draw(uri: str) -> str:
    drawn = io.BytesIO()
    segno.make_qr(uri).save(drawn, kind="svg", scale=3, light="white", xmldecl=False)
    # The clients put it in a data: address, which a # would cut short.
    return drawn.getvalue().decode().replace("#000", "black").replace("#fff", "white")
