"""GET and POST /verify: following a link, or typing a code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from starlette.responses import JSONResponse, RedirectResponse

from nlctl.local.auth import (
    accounts,
    audit,
    calls,
    flows,
    identities,
    one_time_tokens,
    passwords,
    sessions,
    text_messages,
    timestamps,
    users,
)
from nlctl.local.auth.errors import Refusal, broken, forbidden, invalid, too_often, unprocessable
from nlctl.local.auth.one_time_tokens import PKCE_PREFIX

if TYPE_CHECKING:
    from starlette.responses import Response

    from nlctl.local.auth.calls import Call
    from nlctl.local.auth.database import Connection, Row
    from nlctl.local.auth.users import User

BAD_LINK = "Email link is invalid or has expired"
BAD_CODE = "Token has expired or is invalid"
HALF_CONFIRMED = (
    "Confirmation link accepted. Please proceed to confirm link sent to the other email"
)
# Which stored tokens each type of link or code stands for.
TOKEN_TYPES = {
    "email": ("confirmation_token", "recovery_token"),
    "signup": ("confirmation_token",),
    "invite": ("confirmation_token",),
    "recovery": ("recovery_token",),
    "magiclink": ("recovery_token",),
    "email_change": ("email_change_token_current", "email_change_token_new"),
    "sms": ("confirmation_token",),
    "phone_change": ("phone_change_token",),
}
BY_TEXT = {"sms", "phone_change"}
SENT_AT = {
    "confirmation_token": "confirmation_sent_at",
    "recovery_token": "recovery_sent_at",
    "email_change_token_current": "email_change_sent_at",
    "email_change_token_new": "email_change_sent_at",
    "phone_change_token": "phone_change_sent_at",
}
OAUTH_ERRORS = {
    400: "invalid_request",
    401: "unauthorized_client",
    403: "access_denied",
    500: "server_error",
    503: "temporarily_unavailable",
}
# What ends up in the amr of a session that began with PKCE.
FLOW_METHODS = {"signup": "email/signup"}


@dataclass(frozen=True)
class Proof:
    """A link or code of some type, by the hashes under which it may be stored."""

    type: str
    hashes: tuple[str, ...]
    complaint: str
    address: str = ""  # whom a code was sent to; a link needs none
    is_fixed: bool = False  # the code that the project fixed for this number


@dataclass(frozen=True)
class Redeemed:
    """A proof that held; `type` says what it was for. No user: half of a change is confirmed."""

    type: str
    user: User | None


async def follow_link(call: Call) -> Response:
    """GET: always a redirect, with the session or the reason in the address."""
    link_type, token = call.query("type"), call.query("token")
    if not link_type:
        raise invalid("Verify requires a verification type")
    if not token:
        raise invalid("Verify requires a token or a token hash")
    is_pkce = token.startswith(PKCE_PREFIX)
    try:
        proof = Proof(_known(link_type), (token,), BAD_LINK)
        target = await _redeem_link(call, proof, is_pkce=is_pkce)
    except Refusal as refusal:
        target = _error_target(call.redirect_to, refusal, is_pkce=is_pkce)
    return RedirectResponse(target, 303)


async def type_code(call: Call) -> Response:
    """POST: a session for a code and its address, or for the hash that a link carries."""
    proof = _read_proof(call)
    key = f"{proof.address} otp"
    if proof.address and not call.service.guesses.take(key):
        raise too_often("over_request_rate_limit", "Request rate limit reached")
    async with call.transaction() as db:
        redeemed = await _redeem(call, db, proof)
        if redeemed.user is None:
            answer: Response = JSONResponse({"msg": HALF_CONFIRMED, "code": "200"})
        else:
            answer = (await sessions.open_session(call, db, redeemed.user, "otp")).response()
    if proof.address:
        call.service.guesses.give_back(key)
    return answer


def _read_proof(call: Call) -> Proof:
    body = call.body
    kind, token, token_hash = body.text("type"), body.text("token"), body.text("token_hash")
    address, number = body.text("email"), body.text("phone")
    if not kind:
        raise invalid("Verify requires a verification type")
    if bool(token) == bool(token_hash):
        raise invalid("Verify requires either a token or a token hash")
    if token_hash:
        if address or number or body.text("redirect_to"):
            raise invalid("Only the token_hash and type should be provided")
        return Proof(_known(kind), (token_hash,), BAD_LINK)
    if bool(address) == bool(number):
        raise invalid("Only an email address or phone number should be provided on verify")
    place = _address(address) if address else calls.phone(number)
    if kind not in TOKEN_TYPES or (kind in BY_TEXT) != bool(number):
        raise forbidden("otp_expired", BAD_CODE)
    hashed = one_time_tokens.digest(place, token)
    if address:
        return Proof(kind, (hashed, PKCE_PREFIX + hashed), BAD_CODE, place)
    is_fixed = text_messages.fixed_code(call.config, place) == token
    return Proof(kind, (hashed,), BAD_CODE, place, is_fixed)


def _address(text: str) -> str:
    try:
        return calls.email(text)
    except Refusal as refusal:
        raise unprocessable("validation_failed", "Invalid email format") from refusal


def _known(link_type: str) -> str:
    if link_type not in TOKEN_TYPES or link_type in BY_TEXT:
        raise invalid("Invalid email verification type")
    return link_type


async def _redeem_link(call: Call, proof: Proof, *, is_pkce: bool) -> str:
    """Where to send the browser."""
    target = call.redirect_to
    async with call.transaction() as db:
        redeemed = await _redeem(call, db, proof)
        if redeemed.user is None:
            return _message_target(target, is_pkce=is_pkce)
        if is_pkce:
            method = FLOW_METHODS.get(redeemed.type, redeemed.type)
            code = await flows.issue_code(db, redeemed.user.id, method)
            return _with_query(target, code=code)
        grant = await sessions.open_session(call, db, redeemed.user, "otp")
    return f"{target}#{grant.as_fragment(proof.type)}"


async def _redeem(call: Call, db: Connection, proof: Proof) -> Redeemed:
    """Use the proof up and do what it was sent for."""
    user, ticket = await _find_owner(call, db, proof)
    kind = _kind(proof.type, ticket)
    if kind == "email_change":
        changed = await _confirm_change(call, db, user, ticket)
    elif kind in {"signup", "invite"}:
        changed = await _confirm_sign_up(call, db, user)
    elif kind in BY_TEXT:
        changed = await _confirm_number(db, user, kind)
    else:
        changed = await _recover(db, user)
    if changed is None:
        return Redeemed(kind, None)
    changed = await users.list_providers(db, changed)
    return Redeemed(kind, await users.reload(db, changed))


async def _find_owner(call: Call, db: Connection, proof: Proof) -> tuple[User, Row]:
    """Who gave the proof, and the token it stands for; refused where it does not hold."""
    ticket = await one_time_tokens.claim(db, proof.hashes, TOKEN_TYPES[proof.type])
    if ticket is None and proof.is_fixed:
        ticket = await _ticket_for_number(db, proof)
    # Address and code are hashed as one text: without this, digits could move between them.
    if ticket and proof.address and ticket["relates_to"] != proof.address:
        ticket = None
    user = await users.find(db, ticket["user_id"]) if ticket else None
    if ticket is None or user is None:
        raise forbidden("otp_expired", proof.complaint)
    if user.is_banned:
        raise forbidden("user_banned", "User is banned")
    config = call.config
    expiry = config.sms_otp_expiry if proof.type in BY_TEXT else config.otp_expiry
    sent_at = getattr(user, SENT_AT[ticket["token_type"]])
    if not proof.is_fixed and timestamps.is_past(sent_at, expiry):
        raise forbidden("otp_expired", proof.complaint)
    return user, ticket


async def _ticket_for_number(db: Connection, proof: Proof) -> Row | None:
    (token_type,) = TOKEN_TYPES[proof.type]
    user = await users.find_by_phone(db, proof.address, is_pending=proof.type == "phone_change")
    if user is None:
        return None
    return {"user_id": user.id, "token_type": token_type, "relates_to": proof.address}


async def _confirm_number(db: Connection, user: User, kind: str) -> User:
    if kind == "phone_change":
        user = await accounts.take_phone(db, user)
    else:
        await audit.record(db, user, "user_signedup", provider="phone")
        user = await accounts.confirm_phone(db, user)
    return await users.change(db, user, is_anonymous=False) if user.is_anonymous else user


def _kind(asked: str, ticket: Row) -> str:
    if asked != "email":
        return asked
    return "signup" if ticket["token_type"] in TOKEN_TYPES["signup"] else "magiclink"


async def _confirm_sign_up(call: Call, db: Connection, user: User) -> User:
    if not user.has_password and user.invited_at is not None:
        # The invited choose their own when they arrive; until then nobody knows this one.
        digest = await passwords.digest(passwords.generate(call.config))
        user = await accounts.set_password(db, user, digest)
    await audit.record(db, user, "user_signedup", provider="email")
    user = await accounts.confirm(db, user)
    for identity in user.identities:
        if identity.email and identity.email == user.email:
            await identities.state(db, identity, email_verified=True)
    return user


async def _recover(db: Connection, user: User) -> User:
    user = await users.change(db, user, recovery_token="")
    await one_time_tokens.forget_all(db, user.id)
    if user.is_confirmed:
        await audit.record(db, user, "login")
        return user
    await audit.record(db, user, "user_signedup", provider="email")
    return await accounts.confirm(db, user)


async def _confirm_change(call: Call, db: Connection, user: User, ticket: Row) -> User | None:
    """The account with its new address, or None while the other address has to agree."""
    needs_both = call.config.confirm_email and call.config.double_confirm_changes
    if needs_both and user.email and user.email_change_confirm_status == 0:
        await one_time_tokens.forget(db, user.id, ticket["token_type"])
        columns = {ticket["token_type"]: "", "email_change_confirm_status": 1}
        await users.change(db, user, **columns)
        return None
    return await change_address(db, user)


async def change_address(db: Connection, user: User) -> User:
    """Make the address that was asked for the account's own."""
    await audit.record(db, user, "user_modified")
    owner = await users.find_email_owner(db, user.email_change, besides=user.id)
    if owner is not None:
        raise broken("Error confirm email")
    user = await accounts.set_email(db, user, user.email_change, is_verified=True)
    user = await users.change(
        db,
        user,
        email_change="",
        email_change_token_current="",
        email_change_token_new="",
        email_change_confirm_status=0,
    )
    await one_time_tokens.forget_all(db, user.id)
    return user if user.is_confirmed else await accounts.confirm(db, user)


def _error_target(target: str, refusal: Refusal, *, is_pkce: bool) -> str:
    told = {"error_code": refusal.code, "error_description": refusal.message}
    if refusal.status in OAUTH_ERRORS:
        told["error"] = OAUTH_ERRORS[refusal.status]
    target = _with_query(target, **told) if is_pkce else target
    return _with_fragment(target, {**told, "sb": ""})


def _message_target(target: str, *, is_pkce: bool) -> str:
    target = _with_query(target, message=HALF_CONFIRMED) if is_pkce else target
    return _with_fragment(target, {"message": HALF_CONFIRMED, "sb": ""})


def _with_query(target: str, **more: str) -> str:
    parts = urlsplit(target)
    query = {**dict(parse_qsl(parts.query, keep_blank_values=True)), **more}
    return urlunsplit(parts._replace(query=urlencode(sorted(query.items()))))


def _with_fragment(target: str, values: dict[str, str]) -> str:
    return urlunsplit(urlsplit(target)._replace(fragment=urlencode(sorted(values.items()))))
