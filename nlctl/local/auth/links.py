"""POST /invite and /admin/generate_link: the ways in that a server opens for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from nlctl.local.auth import (
    accounts,
    audit,
    callers,
    calls,
    hooks,
    letters,
    one_time_tokens,
    passwords,
    redirects,
    users,
)
from nlctl.local.auth.accounts import Application
from nlctl.local.auth.errors import (
    DUPLICATE_EMAIL,
    invalid,
    not_found,
    unprocessable,
)

if TYPE_CHECKING:
    from starlette.responses import Response

    from nlctl.local.auth.calls import Call
    from nlctl.local.auth.database import Connection
    from nlctl.local.auth.users import User

LINK_TYPES = {
    "signup",
    "invite",
    "magiclink",
    "recovery",
    "email_change_current",
    "email_change_new",
}
# What a link of each type says it is, once somebody follows it.
FOLLOWED_AS = {"email_change_current": "email_change", "email_change_new": "email_change"}
FOR_NEWCOMERS = {"signup", "invite"}


@dataclass(frozen=True)
class Link:
    """A link that nobody is sent: the server that asked for it hands it on."""

    type: str
    user: User
    otp: str
    token: str


async def invite(call: Call) -> Response:
    """Make an account and send its person a letter."""
    async with call.transaction() as db:
        admin = await callers.require_admin(call, db)
        address = calls.email(call.body.text("email"))
        known = await users.find_by_email(db, address)
    draft = await _draft(call, address, "") if known is None else None
    async with call.transaction() as db:
        user = await _newcomer(db, known, draft)
        await _record_invitation(db, admin, user)
        user = await letters.send(call, db, user, letters.INVITE)
    return JSONResponse(user.as_dict())


async def generate_link(call: Call) -> Response:
    """A link of any type, as an answer instead of a letter."""
    async with call.transaction() as db:
        admin = await callers.require_admin(call, db)
        address = calls.email(call.body.text("email"))
        known = await users.find_by_email(db, address)
    kind, password = call.body.text("type"), call.body.text("password")
    if known is None and kind == "magiclink":
        kind, password = "signup", passwords.generate(call.config)
    if kind not in LINK_TYPES:
        raise invalid(f"Invalid email action link type requested: {kind}")
    if known is None and kind not in FOR_NEWCOMERS:
        raise not_found("user_not_found", "User with this email not found")
    draft = None
    if known is None:
        draft = await _draft(call, address, await _digest(call, kind, password))
    async with call.transaction() as db:
        link = await _make(call, db, kind, known, draft)
        if kind == "invite":
            await _record_invitation(db, admin, link.user)
        elif kind in {"magiclink", "recovery"}:
            await audit.record(db, link.user, "user_recovery_requested")
    return JSONResponse(_as_dict(call, link))


async def _digest(call: Call, kind: str, password: str) -> str:
    if kind == "invite":
        return ""
    if not password:
        raise invalid("Signup requires a valid password")
    passwords.check(call.config, password)
    return await passwords.digest(password)


async def _draft(call: Call, address: str, digest: str) -> User:
    data = call.body.record("data") or {}
    draft = Application(address, "", data).draft(digest)
    await hooks.allow_user(call, draft)
    return draft


async def _newcomer(db: Connection, known: User | None, draft: User | None) -> User:
    if draft:
        return await accounts.create(db, draft)
    user = await _lock(db, known)
    if user.is_confirmed:
        raise unprocessable("email_exists", DUPLICATE_EMAIL)
    return user


async def _lock(db: Connection, known: User | None) -> User:
    user = await users.lock(db, known.id) if known else None
    if user is None:
        raise not_found("user_not_found", "User with this email not found")
    return user


async def _make(
    call: Call, db: Connection, kind: str, known: User | None, draft: User | None
) -> Link:
    otp = one_time_tokens.make_otp(call.config.otp_length)
    if kind in FOR_NEWCOMERS:
        user = await _newcomer(db, known, draft)
        if kind == "signup" and draft is None:
            user = await users.merge(db, user, user_metadata=call.body.record("data"))
        purpose = letters.INVITE if kind == "invite" else letters.CONFIRMATION
        user, token = await letters.keep(db, user, purpose, otp)
        return Link(kind, user, otp, token)
    user = await _lock(db, known)
    if kind in FOLLOWED_AS:
        return await _make_change(call, db, kind, user, otp)
    user, token = await letters.keep(db, user, letters.RECOVERY, otp)
    return Link(kind, user, otp, token)


async def _make_change(call: Call, db: Connection, kind: str, user: User, otp: str) -> Link:
    is_current = kind == "email_change_current"
    if is_current and not call.config.double_confirm_changes:
        raise invalid("Enable secure email change to generate link for current email")
    new_email = calls.email(call.body.text("new_email"))
    if await users.find_email_owner(db, new_email, besides=user.id):
        raise unprocessable("email_exists", DUPLICATE_EMAIL)
    token = one_time_tokens.digest(user.email if is_current else new_email, otp)
    # The link for the other address, made before, goes on to hold.
    new, current = user.email_change_token_new, user.email_change_token_current
    tokens = (new, token) if is_current else (token, current)
    user = await letters.keep_email_change(db, user, new_email, *tokens)
    return Link(kind, user, otp, token)


async def _record_invitation(db: Connection, admin: str, user: User) -> None:
    traits = {"user_id": str(user.id), "user_email": user.email}
    await audit.record_admin(db, admin, "user_invited", **traits)


def _as_dict(call: Call, link: Link) -> dict[str, object]:
    asked = call.body.text("redirect_to")
    target = asked if redirects.is_allowed(call.config, asked) else call.redirect_to
    followed_as = FOLLOWED_AS.get(link.type, link.type)
    return {
        **link.user.as_dict(),
        "action_link": letters.verify_link(call.config, link.token, followed_as, target),
        "email_otp": link.otp,
        "hashed_token": link.token,
        "verification_type": link.type,
        "redirect_to": target,
    }
